import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { clusterLoadAssignment, endpointNames, MeshState, workloadIr, xdsFromIr } from '../src/index.ts';
import { kindNameOf } from '../src/kinds.ts';
import { fieldTrees } from '../src/status/acted-upon.ts';
import { readCase } from './golden/case.ts';

/**
 * The status says that a field is acted upon when it is on the allow-list. That must be true: over all golden cases the resources are
 * watched while they are translated, and every path of the list must have been read.
 */

/** Read by others than the translator. */
const actedUponElsewhere: ReadonlySet<string> = new Set([
  // `weft run` and the control plane start the program.
  'weft.dev/Proxy spec.engine',
  'weft.dev/Proxy spec.role',
  // `weft run` and `weft gateway` start the proxy with it.
  'networking.istio.io/ProxyConfig spec.concurrency',
  'networking.istio.io/ProxyConfig spec.selector.matchLabels{}',
  // Only one value of each is acted upon, by doing what Weft does anyhow.
  '/Service spec.sessionAffinity',
  '/Service spec.internalTrafficPolicy',
  '/Service spec.clusterIP',
  'networking.istio.io/DestinationRule spec.trafficPolicy.connectionPool.http.h2UpgradePolicy',
  'networking.istio.io/DestinationRule spec.trafficPolicy.portLevelSettings[].connectionPool.http.h2UpgradePolicy',
  'networking.istio.io/DestinationRule spec.subsets[].trafficPolicy.connectionPool.http.h2UpgradePolicy',
  'networking.istio.io/DestinationRule spec.subsets[].trafficPolicy.portLevelSettings[].connectionPool.http.h2UpgradePolicy',
  'networking.istio.io/VirtualService spec.http[].retries.retryIgnorePreviousHosts',
  'networking.istio.io/Sidecar spec.ingress[].captureMode',
  // What is spoken at a port of the mesh is said by its service; the name of the port is for people.
  'networking.istio.io/Sidecar spec.egress[].port.name',
  'networking.istio.io/Sidecar spec.egress[].port.protocol',
]);

/** `weft run` reads it, and makes WorkloadEntries of it. */
const kindsReadElsewhere: ReadonlySet<string> = new Set(['networking.istio.io/WorkloadGroup']);

/** A view of `value` that writes down each path that is read. */
function watched<T>(value: T, path: readonly string[], reads: Set<string>): T {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return new Proxy(value, {
    get(target, key) {
      const member = Reflect.get(target, key) as unknown;
      if (typeof key === 'symbol' || typeof member === 'function' || (Array.isArray(target) && key === 'length')) {
        return member;
      }
      const next = [...path, Array.isArray(target) ? '[]' : key];
      reads.add(next.join('\0'));
      return watched(member, next, reads);
    },
  });
}

function isRead(pattern: readonly string[], reads: readonly (readonly string[])[]): boolean {
  return reads.some(
    (read) =>
      read.length === pattern.length && pattern.every((segment, at) => segment === '{}' || segment === read[at]),
  );
}

test('every field on the allow-list is read by the translator in some golden case', () => {
  const folder = resolve(import.meta.dirname, '../testdata');
  const reads = new Map<string, Set<string>>();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.in.yaml'))) {
    const { question, objects } = readCase(join(folder, name));
    const state = new MeshState();
    for (const object of objects) {
      const kind = kindNameOf(object);
      const seen = reads.get(kind) ?? new Set<string>();
      reads.set(kind, seen);
      const { spec } = object as KubeObject & { readonly spec?: unknown };
      state.apply([{ value: { ...object, ...(spec === undefined ? {} : { spec: watched(spec, ['spec'], seen) }) } }]);
    }
    for (const key of question.proxies) {
      const ir = workloadIr(state, key, question.observed ?? []);
      assert.ok(ir !== undefined);
      xdsFromIr(ir);
      for (const cluster of endpointNames(ir)) {
        clusterLoadAssignment(state, key, cluster);
      }
    }
  }
  const unread: string[] = [];
  for (const [kind, tree] of fieldTrees) {
    const paths = [...(reads.get(kind) ?? [])].map((path) => path.split('\0'));
    for (const path of tree.paths()) {
      const written = path.join('.').replaceAll('.[]', '[]').replaceAll('.{}', '{}');
      if (!kindsReadElsewhere.has(kind) && !isRead(path, paths) && !actedUponElsewhere.has(`${kind} ${written}`)) {
        unread.push(`${kind} ${written}`);
      }
    }
  }
  assert.deepEqual(unread, []);
});
