import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { describeViolation, parseManifest } from '@weft/resources';
import { conformanceData } from '@weft/testkit';
import { documentsOf, yamlFilesBelow } from '../crds/documents.ts';

const { folder, skip } = conformanceData('istio/validation');

/** Kinds of the data that Weft does not serve yet. One that is served all the same fails the test: remove it here. */
const notServed = new Set(['AuthorizationPolicy', 'EnvoyFilter', 'RequestAuthentication', 'Telemetry', 'WasmPlugin']);

/** Whether a violation hits the reason; `… in body should match` is the API server's wording for a pattern. */
function hits(text: string, reason: string): boolean {
  return reason.split(' in body ').every((part) => text.includes(part));
}

test('every document of Istio is judged as Istio judges it', { skip }, () => {
  const counts = { refused: 0, accepted: 0, notServed: 0 };
  for (const file of yamlFilesBelow(folder)) {
    const bad = file.endsWith('-invalid.yaml');
    for (const { text, value } of documentsOf(file)) {
      const reason = String(value['_err'] ?? '');
      const place = `${basename(file)} ${JSON.stringify((value['metadata'] as { name?: unknown })?.name)}`;
      const { violations } = parseManifest(text.replace(/^_err:.*$/m, ''));
      const lines = (violations ?? []).map(describeViolation);
      if (notServed.has(String(value['kind']))) {
        counts.notServed += 1;
        assert.ok(
          violations?.some(({ code }) => code === 'UnknownKind'),
          `${place}: the kind is served`,
        );
      } else if (bad) {
        counts.refused += 1;
        assert.ok(
          reason !== '' && lines.some((line) => hits(line, reason)),
          `${place}: ${reason}\n${lines.join('\n')}`,
        );
      } else {
        counts.accepted += 1;
        assert.deepEqual(lines, [], place);
      }
    }
  }
  assert.ok(counts.refused >= 15 && counts.accepted >= 9, JSON.stringify(counts));
});
