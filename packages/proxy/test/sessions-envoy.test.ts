import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { peerSkip } from '@weft/testkit';
import { decodeSession } from '../src/filter/http/filters/session-state.ts';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { EnvoyTwins, type TwinOutcome, type TwinRequest } from './support/envoy-twin.ts';

/** Session persistence through stock Envoy and through ours: each understands what the other has written. */

const extension = (type: string, config: JsonObject): JsonObject => ({
  '@type': `type.googleapis.com/envoy.extensions.${type}`,
  ...config,
});
const cookieState = (path: string, ttl?: string): JsonObject => ({
  name: 'envoy.http.stateful_session.cookie',
  typed_config: extension('http.stateful_session.cookie.v3.CookieBasedSessionState', {
    cookie: {
      name: 'session',
      path,
      ...(ttl === undefined ? {} : { ttl }),
      attributes: [{ name: 'SameSite', value: 'Strict' }],
    },
  }),
});
const headerState: JsonObject = {
  name: 'envoy.http.stateful_session.header',
  typed_config: extension('http.stateful_session.header.v3.HeaderBasedSessionState', { name: 'X-Session' }),
};
const perRoute = (config: JsonObject): JsonObject => ({
  sessions: extension('filters.http.stateful_session.v3.StatefulSessionPerRoute', config),
});

const ENDPOINTS = 4;

describe('sessions as in Envoy', { skip: peerSkip('envoy') }, () => {
  const servers: http.Server[] = [];
  let addresses: string[] = [];
  let twins: EnvoyTwins | undefined;

  before(async () => {
    for (let index = 0; index < ENDPOINTS; index += 1) {
      const server = http.createServer((_, response) => void response.end(`127.0.0.1:${portOf(server)}`));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.push(server);
    }
    addresses = servers.map((server) => `127.0.0.1:${portOf(server)}`);
    const route = (prefix: string, more: JsonObject = {}): JsonObject => ({
      match: { prefix },
      route: { cluster: 'backends' },
      ...more,
    });
    twins = await EnvoyTwins.start(
      {
        http_filters: [
          {
            name: 'sessions',
            typed_config: extension('filters.http.stateful_session.v3.StatefulSession', {
              session_state: cookieState('/shop', '120s'),
            }),
          },
          { name: 'router', typed_config: extension('filters.http.router.v3.Router', {}) },
        ],
        route_config: {
          name: 'routes',
          virtual_hosts: [
            {
              name: 'all',
              domains: ['*'],
              routes: [
                route('/shop/off', { typed_per_filter_config: perRoute({ disabled: true }) }),
                route('/header', {
                  typed_per_filter_config: perRoute({ stateful_session: { session_state: headerState } }),
                }),
                route('/strict', {
                  typed_per_filter_config: perRoute({
                    stateful_session: { session_state: cookieState(''), strict: true },
                  }),
                }),
                route('/'),
              ],
            },
          ],
        },
      },
      [
        {
          name: 'backends',
          type: 'STATIC',
          connect_timeout: '1s',
          lb_policy: 'RANDOM',
          common_lb_config: {
            healthy_panic_threshold: { value: 0 },
            override_host_status: { statuses: ['UNKNOWN', 'HEALTHY', 'DRAINING'] },
          },
          load_assignment: {
            cluster_name: 'backends',
            endpoints: [
              {
                lb_endpoints: servers.map((server, index) => ({
                  endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: portOf(server) } } },
                  ...(index === 2 ? { health_status: 'DRAINING' } : {}),
                  ...(index === 3 ? { health_status: 'UNHEALTHY' } : {}),
                })),
              },
            ],
          },
        },
      ],
    );
  });

  after(async () => {
    await twins?.close();
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  const running = (): EnvoyTwins => {
    assert.ok(twins !== undefined);
    return twins;
  };
  const sides = (): ((request: TwinRequest) => Promise<TwinOutcome>)[] => [
    (request) => running().throughEnvoy(request),
    (request) => running().throughOurs(request),
  ];
  const setCookie = ({ headers }: TwinOutcome): string => headers['set-cookie']?.[0] ?? '';
  const sessionIn = (outcome: TwinOutcome): string => /^session="([^"]*)"/.exec(setCookie(outcome))?.[1] ?? '';

  it('a cookie names the endpoint, and each proxy follows that of the other', async () => {
    const shapes = new Set<string>();
    for (const make of sides()) {
      const first = await make({ host: 'any', path: '/shop/1' });
      shapes.add(setCookie(first).replace(/"[^"]*"/, '""'));
      assert.equal(decodeSession(sessionIn(first), Date.now() / 1000), first.body);
      for (const follow of sides()) {
        for (let again = 0; again < 4; again += 1) {
          const headers = { cookie: `a=b; session="${sessionIn(first)}"` };
          const next = await follow({ host: 'any', path: '/shop?x', headers });
          assert.deepEqual([next.body, setCookie(next)], [first.body, '']);
        }
      }
    }
    assert.deepEqual([...shapes], ['session=""; Max-Age=120; Path=/shop; SameSite=Strict; HttpOnly']);
  });

  it('other paths and routes that switch it off have no session', async () => {
    for (const side of sides()) {
      for (const path of ['/', '/shopping', '/shop/off']) {
        assert.equal(setCookie(await side({ host: 'any', path })), '', path);
      }
    }
  });

  it('a header names the endpoint', async () => {
    for (const make of sides()) {
      const first = await make({ host: 'any', path: '/header' });
      const value = String(first.headers['x-session']);
      assert.equal(Buffer.from(value, 'base64').toString(), first.body);
      for (const follow of sides()) {
        const next = await follow({ host: 'any', path: '/header', headers: { 'x-session': value } });
        assert.deepEqual([next.body, next.headers['x-session']], [first.body, undefined]);
      }
    }
  });

  it('draining endpoints keep their sessions where the cluster says so, unhealthy ones do not', async () => {
    const cookieOf = (index: number): string =>
      `session=${Buffer.from(`\n\x0f${addresses[index]}`).toString('base64')}`;
    for (const side of sides()) {
      const draining = await side({ host: 'any', path: '/shop', headers: { cookie: cookieOf(2) } });
      assert.deepEqual([draining.body, setCookie(draining)], [addresses[2], '']);
      const unhealthy = await side({ host: 'any', path: '/shop', headers: { cookie: cookieOf(3) } });
      assert.ok(addresses.slice(0, 2).includes(unhealthy.body));
      assert.notEqual(setCookie(unhealthy), '');
    }
  });

  it('strict: an endpoint that is not there is no reason to go elsewhere', async () => {
    const gone = `session=${Buffer.from('\n\x0b127.0.0.9:9').toString('base64')}`;
    const outcomes = await Promise.all(
      sides().map(async (side) => {
        const { status, flags, details } = await side({ host: 'any', path: '/strict', headers: { cookie: gone } });
        return { status, flags, details };
      }),
    );
    assert.deepEqual(outcomes[1], outcomes[0]);
    assert.equal(outcomes[1]?.flags, 'UH');
    for (const side of sides()) {
      assert.equal((await side({ host: 'any', path: '/strict' })).status, 200);
    }
  });
});

function portOf(server: http.Server): number {
  return (server.address() as AddressInfo).port;
}
