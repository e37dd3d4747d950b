import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { type Background, eventually, findPeer, freePort, peerSkip, startBackground } from '@weft/testkit';
import { runtimeConfigFromStatic } from '../src/runtime-config/static-resources.ts';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { OpensslAuthority } from './support/openssl-authority.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { RawClient } from './support/raw-peer.ts';
import { ShiftedClock } from './support/shifted-clock.ts';

/** Which clients come in, by what is revoked and what is pinned: stock Envoy and ours, with real certificates. */

const skip = peerSkip('envoy', 'openssl');

interface Asked {
  readonly required: boolean;
  readonly validation: JsonObject;
  /** Who comes in. */
  readonly lets: readonly Who[];
}

type Who = 'good' | 'bad' | 'below' | 'foreign' | 'nobody';
const everybody: readonly Who[] = ['good', 'bad', 'below', 'foreign', 'nobody'];

const dayMs = 86_400_000;

/** As `openssl` takes a time. */
function text(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}

const at = 'type.googleapis.com/envoy.extensions';

describe('certificates of clients as in Envoy', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-clients-'));
  const harnesses: ProxyHarness[] = [];
  const shown = new Map<Who, ConnectionOptions>();
  const asked = new Map<string, Asked>();
  const envoyPorts = new Map<string, number>();
  let root: OpensslAuthority;
  let envoy: Background | undefined;
  let ours: ProxyHarness;

  const listener = (
    name: string,
    port: number,
    { required, validation }: Pick<Asked, 'required' | 'validation'>,
  ): JsonObject => ({
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        transport_socket: {
          name: 'tls',
          typed_config: {
            '@type': `${at}.transport_sockets.tls.v3.DownstreamTlsContext`,
            require_client_certificate: required,
            common_tls_context: {
              tls_certificates: [
                {
                  certificate_chain: { filename: root.path('server.pem') },
                  private_key: { filename: root.path('server.key') },
                },
              ],
              validation_context: { trusted_ca: { filename: root.certificate }, ...validation },
            },
          },
        },
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type': `${at}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
              stat_prefix: name,
              route_config: {
                name: 'routes',
                virtual_hosts: [
                  {
                    name: 'all',
                    domains: ['*'],
                    routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }],
                  },
                ],
              },
              http_filters: [
                {
                  name: 'envoy.filters.http.router',
                  typed_config: { '@type': `${at}.filters.http.router.v3.Router` },
                },
              ],
            },
          },
        ],
      },
    ],
  });

  const applyTo = async (harness: ProxyHarness, listeners: readonly JsonObject[]): Promise<void> => {
    const config = runtimeConfigFromStatic({ listeners, clusters: [], routes: [], endpoints: [], secrets: [] });
    assert.ok('ok' in config, JSON.stringify(config));
    assert.deepEqual((await harness.apply(config.ok)).failedListeners, []);
  };
  const startOurs = async (listeners: readonly JsonObject[], clock = new ShiftedClock()): Promise<ProxyHarness> => {
    const harness = new ProxyHarness({ clock });
    harnesses.push(harness);
    await applyTo(harness, listeners);
    return harness;
  };

  before(async () => {
    root = new OpensslAuthority(folder, 'root');
    const middle = new OpensslAuthority(folder, 'middle', root);
    const stranger = new OpensslAuthority(folder, 'stranger');
    for (const name of ['server', 'good', 'bad']) {
      root.issue(name);
    }
    middle.issue('below');
    stranger.issue('foreign');
    root.writeList('before.crl');
    root.writeList('day.crl', { from: text(Date.now() - dayMs), to: text(Date.now() + dayMs) });
    root.revoke('bad');
    root.writeList('root.crl');
    middle.writeList('middle.crl');
    writeFileSync(root.path('both.crl'), `${middle.read('middle.crl')}${root.read('root.crl')}`);
    const below = middle.pair('below');
    shown.set('good', root.pair('good'));
    shown.set('bad', root.pair('bad'));
    shown.set('below', { ...below, cert: `${below.cert}${middle.read('ca.pem')}` });
    shown.set('foreign', stranger.pair('foreign'));
    shown.set('nobody', {});

    const good = root.hashes('good');
    const colons = (good.certificate.toUpperCase().match(/../g) ?? []).join(':');
    const crl = (file: string): JsonObject => ({ crl: { filename: root.path(file) } });
    const hash = { verify_certificate_hash: [colons] };
    const spki = { verify_certificate_spki: [good.key] };
    const other = { verify_certificate_hash: [middle.hashes('below').certificate] };
    const name = {
      match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'good' } }],
    };
    const all: Readonly<Record<string, Asked>> = {
      'an authority': { required: true, validation: {}, lets: ['good', 'bad', 'below'] },
      'its list': { required: true, validation: crl('root.crl'), lets: ['good'] },
      'all lists of a chain': { required: true, validation: crl('both.crl'), lets: ['good', 'below'] },
      'a list, if there is a certificate': {
        required: false,
        validation: crl('both.crl'),
        lets: ['good', 'below', 'nobody'],
      },
      'a certificate': { required: true, validation: hash, lets: ['good'] },
      'a key': { required: true, validation: spki, lets: ['good'] },
      'a certificate or a key': { required: true, validation: { ...other, ...spki }, lets: ['good', 'below'] },
      'a certificate, which need not be': { required: false, validation: hash, lets: ['good'] },
      'a name, which need not be': { required: false, validation: name, lets: ['good'] },
      'a certificate and a name': { required: true, validation: { ...other, ...name }, lets: [] },
      'a certificate that is revoked': {
        required: true,
        validation: { ...crl('both.crl'), verify_certificate_hash: [root.hashes('bad').certificate] },
        lets: [],
      },
      'any certificate at all': {
        required: false,
        validation: { ...hash, trust_chain_verification: 'ACCEPT_UNTRUSTED' },
        lets: everybody,
      },
    };
    const listeners: JsonObject[] = [];
    for (const [label, one] of Object.entries(all)) {
      asked.set(label, one);
      const port = await freePort();
      envoyPorts.set(label, port);
      listeners.push(listener(label, port, one));
    }
    const file = join(folder, 'envoy.json');
    writeFileSync(file, JSON.stringify({ static_resources: { listeners } }));
    envoy = startBackground(findPeer('envoy') ?? '', [
      ...['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart'],
    ]);
    ours = await startOurs([...asked].map(([label, one]) => listener(label, 0, one)));
    await eventually(
      async () => {
        (await RawClient.connect([...envoyPorts.values()].at(-1) ?? 0)).close();
        return true;
      },
      { what: 'Envoy listens' },
    );
  });

  after(async () => {
    await envoy?.stop();
    for (const harness of harnesses) {
      await harness.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  /** Whether a client is answered. @returns a session to resume besides. */
  const ask = (
    port: number,
    options: ConnectionOptions,
  ): Promise<{ readonly answered: boolean; readonly resumed: boolean; readonly session: Buffer | undefined }> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
      let text = '';
      let session: Buffer | undefined;
      socket.on('session', (ticket: Buffer) => {
        session = ticket;
      });
      socket.on('data', (bytes: Buffer) => {
        text += bytes.toString('latin1');
        socket.end();
      });
      socket.on('error', () => {});
      const resumed = new Promise<boolean>((settle) => {
        socket.once('secureConnect', () => settle(socket.isSessionReused()));
        socket.once('close', () => settle(false));
      });
      socket.write('GET / HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n');
      socket.once('close', async () =>
        resolve({ answered: text.startsWith('HTTP/1.1 200'), resumed: await resumed, session }),
      );
    });

  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    it(`clients of ${maxVersion}: each that is asked for, and no other`, async () => {
      for (const [label, { lets }] of asked) {
        for (const who of everybody) {
          const options = { ...shown.get(who), maxVersion };
          const theirs = await ask(envoyPorts.get(label) ?? 0, options);
          const own = await ask(ours.port(label), options);
          const expected = lets.includes(who);
          assert.deepEqual([theirs.answered, own.answered], [expected, expected], `${label}: ${who} (Envoy, ours)`);
        }
      }
    });

    it(`a session of ${maxVersion} lets nobody in whom a handshake would not`, async () => {
      const bad = { ...shown.get('bad'), maxVersion };
      const first = await ask(ours.port('an authority'), bad);
      const again = await ask(ours.port('an authority'), { ...bad, session: first.session });
      assert.deepEqual([first.answered, again.answered, again.resumed], [true, true, true]);
      for (const label of ['its list', 'a certificate', 'a key', 'a name, which need not be']) {
        const elsewhere = await ask(ours.port(label), { ...bad, session: first.session });
        assert.equal(elsewhere.answered, false, label);
      }
      const listAt = (file: string): JsonObject =>
        listener('one', 0, { required: true, validation: { crl: { filename: root.path(file) } } });
      const harness = await startOurs([listAt('before.crl')]);
      const before = await ask(harness.port('one'), bad);
      assert.deepEqual([before.answered, before.session !== undefined], [true, true]);
      await applyTo(harness, [listAt('root.crl')]);
      assert.equal(
        (await ask(harness.port('one'), { ...bad, session: before.session })).answered,
        false,
        'revoked since',
      );

      const clock = new ShiftedClock();
      const later = await startOurs([listAt('day.crl')], clock);
      const today = await ask(later.port('one'), bad);
      clock.offsetMs = 1.5 * dayMs;
      const tomorrow = await ask(later.port('one'), { ...bad, session: today.session });
      assert.deepEqual([today.answered, tomorrow.answered], [true, false], 'what is revoked is not known any more');
    });
  }
});
