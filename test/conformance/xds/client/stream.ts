import assert from 'node:assert/strict';
import type { Logger } from '@weft/base';
import { silentLogger } from '@weft/base';
import { eventually } from '@weft/testkit';
import { typeUrls } from '@weft/xds-types';
import { certificates } from '../support/certificates.ts';
import { ClientFixture } from '../support/client-fixture.ts';
import { cluster, edsCluster, endpoints, listener, route, trustBundle } from '../support/resources.ts';
import type { Plays } from '../support/scenario.ts';
import type { ClientRequest, ServedStream } from '../support/scripted-server.ts';
import { serve } from './answers.ts';

const { cluster: cds, endpoint: eds, listener: lds, routeConfiguration: rds, secret: sds } = typeUrls;

/** The first request of each type, on a stream that begins. */
async function firstRequests(stream: ServedStream): Promise<Record<string, ClientRequest>> {
  return {
    cds: await stream.asked(cds),
    eds: await stream.asked(eds),
    lds: await stream.asked(lds),
    rds: await stream.asked(rds),
  };
}

/** Areas reconnect, ttl, sds. */
export const streamPlays: Plays = {
  'delta-reconnect-all-names': async () => {
    await using started = await ClientFixture.start('delta');
    const { fixture, stream } = started;
    await serve(stream);
    stream.fail();
    const first = await firstRequests(await fixture.reconnected());
    assert.equal(first['cds']?.nodeId, 'n');
    assert.deepEqual(first['cds']?.versions, { c: edsCluster('c').version });
    assert.deepEqual(first['eds']?.names, ['c']);
    assert.deepEqual(first['eds']?.versions, { c: endpoints('c').version });
    assert.deepEqual(first['lds']?.versions, { l: listener('l', 1, 'r').version });
    assert.deepEqual(first['rds']?.names, ['r']);
    assert.deepEqual(first['rds']?.versions, { r: route('r', 1, 'c').version });
  },

  'delta-initial-versions-only-first': async () => {
    await using started = await ClientFixture.start('delta');
    const { fixture, stream } = started;
    await serve(stream);
    stream.fail();
    const again = await fixture.reconnected();
    await firstRequests(again);
    const ack = await again.exchange(cds, [edsCluster('c'), edsCluster('d')]);
    assert.deepEqual(ack.versions, {});
    assert.deepEqual((await again.asked(eds, 'd')).versions, {});
  },

  'sotw-reconnect-version': async () => {
    await using started = await ClientFixture.start('sotw');
    const { fixture, stream } = started;
    await serve(stream);
    stream.fail();
    const first = await firstRequests(await fixture.reconnected());
    assert.deepEqual(
      Object.values(first).map(({ version, nonce }) => [version, nonce]),
      [
        ['cds-1', ''],
        ['eds-1', ''],
        ['lds-1', ''],
        ['rds-1', ''],
      ],
    );
    assert.deepEqual([first['cds']?.nodeId, first['eds']?.names, first['rds']?.names], ['n', ['c'], ['r']]);
  },

  'reconnect-config-kept': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await serve(stream);
    const before = fixture.config;
    const batches = fixture.batches.length;
    fixture.server.stop();
    await eventually(() => !fixture.client.connected, { what: 'the client noticed the end', intervalMs: 2 });
    fixture.clock.advance(3_600_000);
    assert.equal(fixture.batches.length, batches, 'nothing changes for the data plane');
    assert.deepEqual([...fixture.config.clusters.keys()], [...before.clusters.keys()]);
    assert.equal(fixture.config.listeners.get('l'), before.listeners.get('l'));
  },

  'reconnect-backoff': async (variant) => {
    const waits: number[] = [];
    const warnings: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      warn: (message) => void warnings.push(message),
      with: () => logger,
    };
    const collect = (_message: string, fields?: Readonly<Record<string, unknown>>): void => {
      if (typeof fields?.['retryInMs'] === 'number') {
        waits.push(fields['retryInMs']);
      }
    };
    Object.assign(logger, {
      warn: (message: string, fields?: Readonly<Record<string, unknown>>) => {
        warnings.push(message);
        collect(message, fields);
      },
      info: collect,
    });
    await using started = await ClientFixture.start(variant, { logger });
    const { fixture } = started;
    let stream: ServedStream = started.stream;
    for (let attempt = 0; attempt < 7; attempt += 1) {
      stream.fail(); // Without any response.
      stream = await fixture.reconnected();
    }
    assert.deepEqual(waits, [100, 200, 400, 800, 1_600, 2_500, 2_500], 'half of 200 ms doubled, up to half of 5 s');
    assert.equal(warnings.length, 7);
    await stream.exchange(cds, [cluster('a')]);
    stream.fail();
    await fixture.reconnected();
    assert.equal(waits.at(-1), 100, 'begins anew after a response');
    assert.equal(warnings.length, 7, 'the end of a stream that had worked is no warning');
  },

  'reconnect-transient-not-deletion': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await stream.exchange(cds, [edsCluster('c')]);
    await stream.asked(eds, 'c');
    fixture.clock.advance(10_000);
    stream.fail();
    const again = await fixture.reconnected();
    assert.equal(fixture.config.clusters.size, 0, 'not taken as missing while nobody could answer');
    await again.asked(eds, 'c');
    await again.exchange(eds, [endpoints('c')]);
    assert.deepEqual([...fixture.config.clusters.keys()], ['c']);
  },

  'ttl-expiry': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await stream.exchange(cds, [{ resource: cluster('a'), ttlSeconds: 5 }, cluster('b')]);
    fixture.clock.advance(4_999);
    assert.deepEqual([...fixture.config.clusters.keys()].sort(), ['a', 'b']);
    fixture.clock.advance(1);
    assert.deepEqual([...fixture.config.clusters.keys()], ['b']);
  },

  'ttl-heartbeat-client': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await serve(stream);
    await stream.exchange(eds, [{ resource: endpoints('c', 2), ttlSeconds: 5 }]);
    const batches = fixture.batches.length;
    for (let beat = 0; beat < 3; beat += 1) {
      fixture.clock.advance(4_000);
      const ack = await stream.exchange(eds, [{ resource: endpoints('c', 2), ttlSeconds: 5, empty: true }]);
      assert.equal(ack.error, undefined);
    }
    assert.equal(fixture.batches.length, batches, 'nothing is reloaded');
    assert.deepEqual([...fixture.config.endpoints.keys()], ['c']);
    fixture.clock.advance(5_000);
    assert.equal(fixture.config.endpoints.size, 0);
  },

  'ttl-removed': async (variant) => {
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    await stream.exchange(cds, [{ resource: cluster('a'), ttlSeconds: 5 }]);
    await stream.exchange(cds, [cluster('a')]);
    fixture.clock.advance(60_000);
    assert.deepEqual([...fixture.config.clusters.keys()], ['a']);
  },

  'sds-rotation-client': async (variant) => {
    const { keyPairSecret, otherPair } = await certificates();
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    stream.send(lds, [listener('l', 1, 'r', 'cert')]);
    await stream.exchange(rds, [route('r', 1, 'c')]);
    await stream.exchange(sds, [keyPairSecret('cert')]);
    const before = fixture.config;
    await stream.exchange(sds, [keyPairSecret('cert', otherPair)]);
    const changed = fixture.batches.at(-1)?.changes.map(({ typeUrl, name }) => [typeUrl, name]);
    assert.deepEqual(changed, [[sds, 'cert']], 'new handshakes take the new secret');
    assert.equal(fixture.config.listeners.get('l'), before.listeners.get('l'), 'the listener and its connections stay');
    assert.notEqual(fixture.config.secrets.get('cert'), before.secrets.get('cert'));
  },

  'sds-invalid': async (variant) => {
    const { keyPairSecret, mismatchedSecret } = await certificates();
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    stream.send(lds, [listener('l', 1, 'r', 'cert')]);
    await stream.exchange(rds, [route('r', 1, 'c')]);
    await stream.exchange(sds, [keyPairSecret('cert')]);
    const before = fixture.config.secrets.get('cert');
    const nack = await stream.exchange(sds, [mismatchedSecret('cert')]);
    assert.match(nack.error ?? '', /cert: .*private key/);
    assert.doesNotMatch(nack.error ?? '', /BEGIN/);
    assert.equal(fixture.config.secrets.get('cert'), before);
  },

  'sds-root-rotation': async (variant) => {
    const [old, renewed] = [await certificates(), await certificates()];
    await using started = await ClientFixture.start(variant);
    const { fixture, stream } = started;
    stream.send(lds, [listener('l', 1, 'r', 'roots')]);
    await stream.exchange(rds, [route('r', 1, 'c')]);
    const seen: number[] = [];
    for (const pem of [old.trustBundlePem, old.trustBundlePem + renewed.trustBundlePem, renewed.trustBundlePem]) {
      const ack = await stream.exchange(sds, [trustBundle('roots', pem)]);
      assert.equal(ack.error, undefined);
      const secret = fixture.config.secrets.get('roots');
      seen.push(
        secret?.kind === 'validation-context' ? secret.trustBundlePem.split('BEGIN CERTIFICATE').length - 1 : 0,
      );
    }
    assert.deepEqual(seen, [1, 2, 1], 'both roots are there in between, and never none');
  },
};
