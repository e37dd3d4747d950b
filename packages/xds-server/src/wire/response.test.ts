import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import {
  DeltaDiscoveryResponse,
  DiscoveryResponse,
  Resource,
} from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import fc from 'fast-check';
import type { EncodedResource } from '../snapshot.ts';
import { absentPiece, heartbeatPiece, unwrappedPiece, varint, wrappedInAnyPiece, wrappedPiece } from './pieces.ts';
import { encodeDeltaResponse, encodeSotwResponse } from './response.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const encodedResource: fc.Arbitrary<EncodedResource> = fc.record(
  {
    typeUrl: fc.constantFrom<TypeUrl>(...Object.values(typeUrls)),
    name: text,
    version: text,
    value: fc.uint8Array({ maxLength: 500 }),
    aliases: fc.array(text, { maxLength: 3 }),
    ttlMs: fc.integer({ min: 1, max: 10_000_000 }),
  },
  { requiredKeys: ['typeUrl', 'name', 'version', 'value'] },
);

test('the pieces of a SotW response decode to what went in', () => {
  fc.assert(
    fc.property(
      fc.array(encodedResource, { maxLength: 5 }),
      text,
      text,
      text,
      (resources, versionInfo, nonce, identifier) => {
        const typeUrl = typeUrls.cluster;
        const bytes = encodeSotwResponse({
          versionInfo,
          typeUrl,
          nonce,
          identifier,
          resources: resources.map(unwrappedPiece),
        });
        const decoded = DiscoveryResponse.decode(bytes);
        assert.deepEqual(
          [decoded.versionInfo, decoded.typeUrl, decoded.nonce, decoded.controlPlane?.identifier],
          [versionInfo, typeUrl, nonce, identifier],
        );
        assert.deepEqual(
          decoded.resources.map((any) => [any.typeUrl, Buffer.from(any.value)]),
          resources.map((resource) => [resource.typeUrl, Buffer.from(resource.value)]),
        );
      },
    ),
  );
});

test('the pieces of a delta response decode to what went in', () => {
  fc.assert(
    fc.property(
      fc.array(encodedResource, { maxLength: 5 }),
      fc.array(text, { maxLength: 5 }),
      text,
      (resources, removed, nonce) => {
        const bytes = encodeDeltaResponse({
          systemVersionInfo: 'v',
          typeUrl: typeUrls.endpoint,
          nonce,
          identifier: 'id',
          removed,
          resources: resources.map(wrappedPiece),
        });
        const decoded = DeltaDiscoveryResponse.decode(bytes);
        assert.deepEqual([decoded.nonce, decoded.removedResources], [nonce, removed]);
        decoded.resources.forEach((resource, index) => {
          checkWrapper(resource, resources[index], true);
        });
        assert.equal(decoded.resources.length, resources.length);
      },
    ),
  );
});

test('heartbeats and wrappers in SotW decode to what went in', () => {
  fc.assert(
    fc.property(encodedResource, fc.boolean(), (resource, body) => {
      const sotw = DiscoveryResponse.decode(Buffer.concat(wrappedInAnyPiece(resource, body)));
      checkWrapper(Resource.decode(sotw.resources[0]?.value ?? new Uint8Array(0)), resource, body);
      const delta = DeltaDiscoveryResponse.decode(Buffer.concat(heartbeatPiece(resource)));
      checkWrapper(delta.resources[0], resource, false);
    }),
  );
});

test('a name that does not exist comes back as its own alias without a resource', () => {
  const [resource] = DeltaDiscoveryResponse.decode(Buffer.concat(absentPiece('http-proxy/nowhere'))).resources;
  assert.deepEqual(
    [resource?.name, resource?.aliases, resource?.resource],
    ['http-proxy/nowhere', ['http-proxy/nowhere'], undefined],
  );
});

test('the pieces of a resource are made once and hold its own bytes', () => {
  const resource: EncodedResource = { typeUrl: typeUrls.cluster, name: 'a', version: '1', value: Buffer.from('bytes') };
  assert.equal(wrappedPiece(resource), wrappedPiece(resource));
  assert.equal(wrappedPiece(resource).at(-1), resource.value);
  assert.equal(unwrappedPiece(resource).at(-1), resource.value);
});

test('varints of any length', () => {
  assert.deepEqual([...varint(0)], [0]);
  assert.deepEqual([...varint(300)], [0xac, 0x02]);
  assert.deepEqual([...varint(2 ** 32)], [0x80, 0x80, 0x80, 0x80, 0x10]);
});

function checkWrapper(decoded: Resource | undefined, resource: EncodedResource | undefined, body: boolean): void {
  const ttlMs = decoded?.ttl === undefined ? undefined : Number(decoded.ttl.seconds) * 1000 + decoded.ttl.nanos / 1e6;
  assert.deepEqual(
    [decoded?.name, decoded?.version, decoded?.aliases, ttlMs],
    [resource?.name, resource?.version, resource?.aliases ?? [], resource?.ttlMs],
  );
  assert.deepEqual(
    decoded?.resource === undefined ? undefined : [decoded.resource.typeUrl, Buffer.from(decoded.resource.value)],
    body ? [resource?.typeUrl, Buffer.from(resource?.value ?? [])] : undefined,
  );
}
