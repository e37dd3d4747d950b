import type { PreviewedChange, PreviewRequest } from '@weft/admin-api';
import { MeshError } from '@weft/base';
import { type KubeObject, validateObject } from '@weft/resources';
import {
  clusterLoadAssignment,
  endpointNames,
  type MeshState,
  proxyMessages,
  workloadIr,
  type XdsMessage,
} from '@weft/translate';
import type { TypeUrl } from '@weft/xds-types';
import { typeNames } from '../proxies/type-names.ts';
import { printableResource } from './printable.ts';

/** Objects of one request at most. */
const maxObjects = 1_000;

/** @throws MeshError `INVALID` when the body is no preview, or an object in it not valid. */
export function parsePreview(body: Uint8Array): readonly KubeObject[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw new MeshError('INVALID', 'the body is not JSON');
  }
  const objects = (parsed as Partial<PreviewRequest> | null)?.objects;
  if (!Array.isArray(objects) || objects.length > maxObjects) {
    throw new MeshError('INVALID', `the body must have objects, a list of at most ${maxObjects}`);
  }
  return objects.map((value: unknown, index) => {
    const { object, violations } = validateObject(value);
    if (object === undefined) {
      throw new MeshError('INVALID', `objects[${index}]: ${violations[0]?.path ?? ''} ${violations[0]?.message ?? ''}`);
    }
    return object;
  });
}

/**
 * What the proxies would be given otherwise if `objects` were stored; what is the same in several proxies is one entry. Translates for every
 * proxy there is, so it is nothing for a thread that serves.
 * @param state has `objects` afterwards.
 * @param observed authorities that a proxy has asked for on demand.
 */
export function previewChange(
  state: MeshState,
  observed: (proxyKey: string) => readonly string[],
  objects: readonly KubeObject[],
): readonly PreviewedChange[] {
  // Looked for once: it looks at every object.
  const youngest = state.youngest();
  const before = new Map(state.proxyKeys().map((key) => [key, resourcesOf(state, key, observed(key))]));
  state.apply(objects.map((value) => ({ value: withAge(value, youngest) })));
  const changes = new Map<string, { readonly change: Omit<PreviewedChange, 'proxies'>; readonly proxies: string[] }>();
  for (const proxyKey of state.proxyKeys()) {
    const old = before.get(proxyKey) ?? new Map<string, XdsMessage>();
    const wanted = resourcesOf(state, proxyKey, observed(proxyKey));
    for (const key of new Set([...old.keys(), ...wanted.keys()])) {
      const change = changeOf(old.get(key), wanted.get(key));
      if (change !== undefined) {
        const id = JSON.stringify(change);
        const known = changes.get(id);
        if (known === undefined) {
          changes.set(id, { change, proxies: [proxyKey] });
        } else {
          known.proxies.push(proxyKey);
        }
      }
    }
  }
  return [...changes.values()].map(({ change, proxies }) => ({ ...change, proxies }));
}

/** An object that is not stored yet would be the youngest. */
function withAge(object: KubeObject, youngest: string): KubeObject {
  const { metadata } = object;
  return metadata.creationTimestamp === undefined
    ? { ...object, metadata: { ...metadata, creationTimestamp: youngest } }
    : object;
}

function resourcesOf(state: MeshState, proxyKey: string, observed: readonly string[]): ReadonlyMap<string, XdsMessage> {
  const ir = workloadIr(state, proxyKey, observed);
  if (ir === undefined) {
    return new Map();
  }
  const assignments = endpointNames(ir).map((name) => clusterLoadAssignment(state, proxyKey, name));
  return new Map(
    [...proxyMessages(state, proxyKey, ir), ...assignments].map((message) => [
      `${message.typeUrl} ${message.name}`,
      message,
    ]),
  );
}

function changeOf(
  before: XdsMessage | undefined,
  after: XdsMessage | undefined,
): Omit<PreviewedChange, 'proxies'> | undefined {
  // Translation gives the same message for what has not changed.
  if (before === after) {
    return undefined;
  }
  const one = before ?? after;
  const type = typeNames.find(([, url]) => url === one?.typeUrl)?.[0];
  if (one === undefined || type === undefined || (before && after && sameBytes(before.encode(), after.encode()))) {
    return undefined;
  }
  return {
    type,
    name: one.name,
    ...(before === undefined ? {} : { before: printable(before) }),
    ...(after === undefined ? {} : { after: printable(after) }),
  };
}

function printable(message: XdsMessage): unknown {
  return printableResource(message.typeUrl as TypeUrl, message.encode());
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
