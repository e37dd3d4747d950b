import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, freePort, peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { ask, EnvoyBeside, NumberedOrigins } from './support/envoy-beside.ts';

/** Clusters whose requests say themselves where they go, behind Envoy and behind ours. */

function cluster(name: string, config: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    name,
    type: 'ORIGINAL_DST',
    lb_policy: 'CLUSTER_PROVIDED',
    connect_timeout: '10s',
    original_dst_lb_config: { use_http_header: true, ...config },
    ...more,
  };
}

describe('original destination, Envoy and ours', { skip: peerSkip('envoy') }, () => {
  const agent = new http.Agent({ keepAlive: true });
  const sixth = http.createServer((request, response) => {
    response.end(request.headers['x-envoy-original-dst-host'] === undefined ? 'six' : 'six, told');
  });
  let origins: NumberedOrigins;
  let sides: EnvoyBeside;
  let first = 0;
  let second = 0;
  let v6 = 0;
  let nobody = 0;

  before(async () => {
    origins = await NumberedOrigins.start(2);
    [first = 0, second = 0] = origins.ports;
    await new Promise<void>((resolve) => sixth.listen(0, '::1', resolve));
    v6 = (sixth.address() as AddressInfo).port;
    nobody = await freePort();
    const route = (name: string, more: JsonObject = {}): JsonObject => ({
      match: { path: `/${name}` },
      route: { cluster: name, ...more },
    });
    const retries = { retry_policy: { retry_on: '5xx,connect-failure', num_retries: 2 } };
    const added = { header: { key: 'x-to', value: `127.0.0.1:${second}` } };
    sides = await EnvoyBeside.start(
      [
        route('usual', retries),
        route('named'),
        route('authority'),
        route('port'),
        route('short'),
        { match: { path: '/held' }, route: { cluster: 'short', prefix_rewrite: '/hold' } },
        { ...route('edited'), request_headers_to_add: [added] },
      ],
      [
        cluster('usual', {}),
        cluster('named', { http_header_name: 'X-To' }),
        cluster('edited', { http_header_name: 'x-to' }),
        cluster('authority', { http_header_name: ':authority' }),
        cluster('port', { upstream_port_override: second }),
        cluster('short', {}, { cleanup_interval: '0.5s' }),
      ],
    );
  });

  after(async () => {
    agent.destroy();
    await sides?.close();
    await origins?.close();
    sixth.close();
    sixth.closeAllConnections();
  });

  const usual = 'x-envoy-original-dst-host';
  /** Requests, and what comes of them: the body of an answer, or its status where that is not 200. */
  const cases: Readonly<
    Record<string, () => readonly [answer: string, path: string, headers: http.OutgoingHttpHeaders]>
  > = {
    'the usual field': () => ['0', '/usual', { [usual]: `127.0.0.1:${first}` }],
    'another address': () => ['1', '/usual', { [usual]: `127.0.0.1:${second}` }],
    IPv6: () => ['six, told', '/usual', { [usual]: `[::1]:${v6}` }],
    'IPv6 without brackets': () => ['503', '/usual', { [usual]: `::1:${v6}` }],
    'a name': () => ['503', '/usual', { [usual]: `localhost:${first}` }],
    'no port': () => ['503', '/usual', { [usual]: '127.0.0.1' }],
    'a port that is none': () => ['503', '/usual', { [usual]: '127.0.0.1:70000' }],
    'no number': () => ['503', '/usual', { [usual]: '127.0.0.1:http' }],
    'not an address': () => ['503', '/usual', { [usual]: '127.0.0:80' }],
    empty: () => ['503', '/usual', { [usual]: '' }],
    missing: () => ['503', '/usual', {}],
    'nobody listens': () => ['503', '/usual', { [usual]: `127.0.0.1:${nobody}` }],
    'two lines': () => ['1', '/usual', { [usual]: [`127.0.0.1:${second}`, `127.0.0.1:${first}`] }],
    'another field': () => ['0', '/named', { 'x-to': `127.0.0.1:${first}` }],
    'not that field': () => ['503', '/named', { [usual]: `127.0.0.1:${first}` }],
    'the authority': () => ['1', '/authority', { host: `127.0.0.1:${second}` }],
    'an authority that is a name': () => ['503', '/authority', { host: 'x.test' }],
    'another port': () => ['1', '/port', { [usual]: `127.0.0.1:${first}` }],
    'what the route says': () => ['1', '/edited', {}],
  };

  for (const [name, requestOf] of Object.entries(cases)) {
    test(name, async () => {
      const [answer, path, headers] = requestOf();
      for (const port of [sides.envoyPort, sides.ourPort]) {
        const { status, body } = await ask(port, path, headers, agent);
        assert.equal(status === 200 ? body : String(status), answer, port === sides.ourPort ? 'ours' : 'Envoy');
      }
    });
  }

  test('endpoints come with requests and go when none names them for an interval', async () => {
    const members = (): readonly string[] =>
      sides.harness.dataPlane
        .clusters()
        .filter(({ name }) => name === 'short')
        .flatMap(({ endpoints }) => endpoints.map(({ info }) => info.address));
    assert.deepEqual(members(), []);
    await ask(sides.ourPort, '/short', { [usual]: `127.0.0.1:${first}` }, agent);
    assert.deepEqual(members(), [`127.0.0.1:${first}`]);
    const held = ask(sides.ourPort, '/held', { [usual]: `127.0.0.1:${second}` }, agent);
    await eventually(() => origins.held.length === 1, { what: 'a request is under way' });
    assert.ok(members().includes(`127.0.0.1:${second}`));
    await eventually(() => members().length === 0, { what: 'nobody asks for them' });
    origins.held[0]?.release();
    assert.equal((await held).body, '1');
    assert.equal((await ask(sides.ourPort, '/short', { [usual]: `127.0.0.1:${first}` }, agent)).body, '0');
  });
});
