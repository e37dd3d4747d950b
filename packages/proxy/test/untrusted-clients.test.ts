import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { secretFromXds } from '../src/runtime-config/from-xds/secret.ts';
import { downstreamTlsFromXds, upstreamTlsFromXds } from '../src/runtime-config/from-xds/tls.ts';
import { parseJsonMessage } from '../src/runtime-config/wire/parse-json.ts';
import { Problems } from '../src/runtime-config/wire/problems.ts';
import { DownstreamTlsContext, Secret, UpstreamTlsContext } from '../src/runtime-config/wire/tls-schema.ts';
import { answering, okResponse, RawOrigin } from './support/raw-peer.ts';
import { startServerProxy } from './support/server-proxy.ts';
import { meshRoots, pemOf, serverTls, TestCa } from './support/test-ca.ts';

/** `trust_chain_verification: ACCEPT_UNTRUSTED`. */

describe('clients whose certificate need not be valid', () => {
  let ca: TestCa;
  let stranger: TestCa;
  before(async () => {
    ca = await TestCa.create();
    stranger = await TestCa.create();
  });
  after(async () => {
    await ca.close();
    await stranger.close();
  });

  test('come in with any certificate or none, and only a valid one is told of', async (t) => {
    const origin = await RawOrigin.start(answering(okResponse));
    t.after(() => origin.close());
    const proxy = await startServerProxy(ca, origin.port, {
      manager: { forwardClientCert: 'sanitize-set' },
      downstreamTls: serverTls([], {
        requireClientCertificate: false,
        validation: { trustBundle: meshRoots, subjectAltNames: [], acceptUntrusted: true },
      }),
    });
    t.after(() => proxy.close());
    const ask = async (shown: ConnectionOptions): Promise<string> => {
      const socket = connect({ host: '127.0.0.1', port: proxy.port(), rejectUnauthorized: false, ...shown });
      let answer = '';
      socket.on('data', (bytes: Buffer) => {
        answer += bytes.toString('latin1');
      });
      socket.on('error', () => {});
      socket.write('GET / HTTP/1.1\r\nHost: catalog\r\nConnection: close\r\n\r\n');
      await once(socket, 'close');
      return answer.slice(0, 12);
    };
    for (const shown of [pemOf(await ca.keyPair('storefront')), pemOf(await stranger.keyPair('storefront')), {}]) {
      assert.equal(await ask(shown), 'HTTP/1.1 200');
    }
    const heads = origin.received.split('\r\n\r\n');
    const told = heads.map((head) => /^x-forwarded-client-cert: (.*)$/im.exec(head)?.[1] ?? '');
    assert.match(told[0] ?? '', /Hash=[0-9a-f]{64}/);
    assert.deepEqual(told.slice(1, 3), ['', '']);
  });
});

test('servers are always verified, and no secret can say otherwise', () => {
  const secret = { name: 'roots', sds_config: { ads: {} } };
  const context = {
    tls_certificate_sds_secret_configs: [{ name: 'pair', sds_config: { ads: {} } }],
    combined_validation_context: {
      default_validation_context: { trust_chain_verification: 'ACCEPT_UNTRUSTED' },
      validation_context_sds_secret_config: secret,
    },
  };
  const problems = new Problems();
  const ofServer = parseJsonMessage(DownstreamTlsContext, { common_tls_context: context }, problems);
  assert.equal(downstreamTlsFromXds(ofServer, problems).validation?.acceptUntrusted, true);
  assert.deepEqual(problems.lines(), []);
  upstreamTlsFromXds(parseJsonMessage(UpstreamTlsContext, { common_tls_context: context }, problems), problems);
  assert.deepEqual(problems.lines(), [
    'common_tls_context: ACCEPT_UNTRUSTED is for clients only: servers are always verified',
  ]);
  const inSecret = new Problems();
  const given = { name: 'roots', validation_context: { trust_chain_verification: 'ACCEPT_UNTRUSTED' } };
  secretFromXds(parseJsonMessage(Secret, given, inSecret), '1', inSecret);
  assert.ok(inSecret.lines().includes('validation_context.trust_chain_verification: not supported in a secret'));
});
