import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceKind } from '@weft/resources';
import { durationText } from './duration-text.ts';
import { tableFrom } from './table.ts';

test('ages are written as kubectl writes them', () => {
  const second = 1000;
  const minute = 60 * second;
  const hour = 60 * minute;
  const day = 24 * hour;
  for (const [ms, text] of [
    [-5 * second, '<invalid>'],
    [-500, '0s'],
    [0, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [5 * minute + 30 * second, '5m30s'],
    [10 * minute, '10m'],
    [179 * minute, '179m'],
    [3 * hour, '3h'],
    [3 * hour + 20 * minute, '3h20m'],
    [27 * hour, '27h'],
    [3 * day + 4 * hour, '3d4h'],
    [45 * day, '45d'],
    [800 * day, '2y70d'],
    [9 * 365 * day, '9y'],
  ] as const) {
    assert.equal(durationText(ms), text, String(ms));
  }
});

test('a table has the name first, then the columns of the kind, with ages and what is wide apart', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { type: 'ClusterIP', ports: [{ port: 80 }], selector: { app: 'a' } },
  };
  const nowMs = Date.UTC(2026, 0, 1, 1);
  const table = tableFrom(serviceKind, [service], { includeObject: 'Metadata', nowMs }) as {
    columnDefinitions: { name: string; priority: number }[];
    rows: { cells: unknown[]; object: { kind: string } }[];
  };
  assert.deepEqual(
    table.columnDefinitions.map(({ name }) => name),
    ['Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', 'Selector'],
  );
  assert.equal(table.columnDefinitions.at(-1)?.priority, 1);
  assert.deepEqual(table.rows[0]?.cells, ['a', 'ClusterIP', '<none>', '<none>', '80/TCP', '60m', 'app=a']);
  assert.equal(table.rows[0]?.object.kind, 'PartialObjectMetadata');
  const bare = tableFrom(serviceKind, [service], { includeObject: 'None', nowMs, headers: false }) as typeof table;
  assert.equal(bare.columnDefinitions.length, 0);
  assert.equal(bare.rows[0]?.object, undefined);
});
