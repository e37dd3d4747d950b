import type { ReceivedResource, ReceivedResponse } from './protocol/protocol.ts';
import type { ResourceType } from './resource-type.ts';
import type { Accepted } from './store/entry.ts';

/** A resource that was refused. */
export interface Refusal {
  readonly name: string;
  readonly version: string;
  readonly reason: string;
}

/** What one response holds, decoded. */
export interface ReadResponse {
  readonly accepted: readonly Accepted[];
  readonly refused: readonly Refusal[];
  /** Names whose time to live begins anew. */
  readonly heartbeats: readonly {
    readonly name: string;
    readonly version: string;
    readonly ttlMs: number | undefined;
  }[];
  /** Names (or aliases) that the server says do not exist. */
  readonly missing: readonly string[];
}

/** Decodes and validates every resource by itself: the good ones count, whatever the others are. */
export function readResponse(response: ReceivedResponse, type: ResourceType): ReadResponse {
  const accepted: Accepted[] = [];
  const refused: Refusal[] = [];
  const heartbeats: { name: string; version: string; ttlMs: number | undefined }[] = [];
  const missing: string[] = [];
  const twice = duplicateNames(response, type);
  response.resources.forEach((resource, index) => {
    const { body, version, ttlMs } = resource;
    const name = nameOf(resource, type);
    const refuse = (reason: string): void => {
      refused.push({ name: name ?? `resource ${index}`, version, reason });
    };
    if (body === undefined) {
      heartbeats.push({ name: name ?? '', version, ttlMs });
      missing.push(...resource.aliases);
    } else if (body.typeUrl !== response.typeUrl) {
      refuse(`is a ${body.typeUrl} in a response of ${response.typeUrl}`);
    } else if (name === undefined || name === '') {
      refuse('has no name or cannot be decoded');
    } else if (twice.has(name)) {
      refuse('is twice in one response');
    } else {
      const result = decode(type, name, body.value);
      if ('ok' in result) {
        accepted.push(acceptedFrom(name, resource, body.value, result.ok, type));
      } else {
        refuse(result.error.join(', '));
      }
    }
  });
  return { accepted, refused, heartbeats, missing };
}

/** A resource from bytes that were accepted before (the cache). */
export function acceptedFrom(
  name: string,
  resource: Pick<ReceivedResource, 'version' | 'aliases' | 'ttlMs'>,
  bytes: Uint8Array,
  value: unknown,
  type: ResourceType,
): Accepted {
  return {
    name,
    version: resource.version,
    aliases: resource.aliases,
    ttlMs: resource.ttlMs,
    // A copy: a slice would keep the whole response in memory.
    bytes: Uint8Array.from(bytes),
    value,
    references: type.references?.(value) ?? [],
  };
}

/** `ResourceType.decode`, where throwing is an error of the resource too. */
export function decode(
  type: ResourceType,
  name: string,
  bytes: Uint8Array,
): { readonly ok: unknown } | { readonly error: readonly string[] } {
  try {
    return type.decode(name, bytes);
  } catch (error) {
    return { error: [error instanceof Error ? error.message : String(error)] };
  }
}

function nameOf(resource: ReceivedResource, type: ResourceType): string | undefined {
  if (resource.name !== undefined || resource.body === undefined) {
    return resource.name;
  }
  try {
    return type.nameOf(resource.body.value);
  } catch {
    return undefined;
  }
}

function duplicateNames(response: ReceivedResponse, type: ResourceType): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const resource of response.resources) {
    const name = resource.body === undefined ? undefined : nameOf(resource, type);
    if (name !== undefined && seen.has(name)) {
      twice.add(name);
    } else if (name !== undefined) {
      seen.add(name);
    }
  }
  return twice;
}
