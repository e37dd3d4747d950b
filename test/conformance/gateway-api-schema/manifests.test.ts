import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { test } from 'node:test';
import { describeViolation, kindFor, parseApiVersion, parseManifest } from '@weft/resources';
import { conformanceData } from '@weft/testkit';
import { documentsOf, yamlFilesBelow } from '../crds/documents.ts';

const { folder, skip } = conformanceData('gateway-api/manifests');

const placeholders = {
  '{GATEWAY_CLASS_NAME}': 'weft',
  '{GATEWAY_CONTROLLER_NAME}': 'weft.dev/gateway-controller',
} as const;

function filledIn(text: string): string {
  return Object.entries(placeholders).reduce((filled, [name, value]) => filled.replaceAll(name, value), text);
}

test('every resource of the conformance manifests that is of a served kind is accepted', { skip }, () => {
  const accepted = new Map<string, number>();
  const notServed = new Set<string>();
  for (const file of yamlFilesBelow(folder)) {
    for (const { text, value } of documentsOf(file)) {
      const kind = String(value['kind']);
      const { group, version } = parseApiVersion(String(value['apiVersion']));
      if (kindFor(group, version, kind) === undefined) {
        notServed.add(kind);
        continue;
      }
      const { violations = [] } = parseManifest(filledIn(text));
      assert.deepEqual(violations.map(describeViolation), [], relative(folder, file));
      accepted.set(kind, (accepted.get(kind) ?? 0) + 1);
    }
  }
  assert.deepEqual([...notServed], ['Deployment']);
  for (const [kind, least] of Object.entries({
    Gateway: 41,
    GatewayClass: 1,
    HTTPRoute: 71,
    GRPCRoute: 6,
    TLSRoute: 16,
    ReferenceGrant: 25,
    Service: 20,
  })) {
    assert.ok((accepted.get(kind) ?? 0) >= least, `${kind}: ${accepted.get(kind) ?? 0} of ${least}`);
  }
});
