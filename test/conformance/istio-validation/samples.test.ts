import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { test } from 'node:test';
import { describeViolation, kindFor, parseApiVersion, parseManifest } from '@weft/resources';
import { conformanceData } from '@weft/testkit';
import { documentsOf, yamlFilesBelow } from '../crds/documents.ts';

const { folder, skip } = conformanceData('istio/samples');

test('every resource of the samples that is of a served kind is accepted', { skip }, () => {
  const accepted = new Map<string, number>();
  for (const file of yamlFilesBelow(folder)) {
    for (const { text, value } of documentsOf(file)) {
      const kind = String(value['kind']);
      const { group, version } = parseApiVersion(String(value['apiVersion']));
      if (kindFor(group, version, kind) === undefined) {
        continue;
      }
      const { violations = [] } = parseManifest(text);
      assert.deepEqual(violations.map(describeViolation), [], relative(folder, file));
      accepted.set(kind, (accepted.get(kind) ?? 0) + 1);
    }
  }
  for (const [kind, least] of Object.entries({
    Service: 44,
    VirtualService: 29,
    DestinationRule: 12,
    ServiceEntry: 3,
    Gateway: 10,
    HTTPRoute: 12,
    TCPRoute: 2,
  })) {
    assert.ok((accepted.get(kind) ?? 0) >= least, `${kind}: ${accepted.get(kind) ?? 0} of ${least}`);
  }
});
