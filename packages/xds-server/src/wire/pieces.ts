import type { EncodedResource } from '../snapshot.ts';

/**
 * Responses are put together from pieces that are encoded once for each resource and shared by all streams: a small head
 * (tags, lengths, name, version) and the resource's own bytes, which are never copied into a message of our own.
 */
export type Piece = readonly Uint8Array[];

const textEncoder = new TextEncoder();

/** Base-128 varint of a non-negative safe integer. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** A length-delimited field. Field numbers up to 15 only: all we need. */
export function bytesField(field: number, value: Uint8Array): Uint8Array {
  const length = varint(value.length);
  const out = new Uint8Array(1 + length.length + value.length);
  out[0] = (field << 3) | 2;
  out.set(length, 1);
  out.set(value, 1 + length.length);
  return out;
}

export function stringField(field: number, value: string): Uint8Array {
  return bytesField(field, textEncoder.encode(value));
}

/** The head of a length-delimited field whose content of `length` bytes follows separately. */
function fieldHead(field: number, length: number): Uint8Array {
  return concat([Uint8Array.of((field << 3) | 2), varint(length)]);
}

export function concat(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

export function sizeOf(piece: Piece): number {
  let size = 0;
  for (const part of piece) {
    size += part.length;
  }
  return size;
}

// google.protobuf.Any: type_url = 1, value = 2.
function anyHead(resource: EncodedResource): Uint8Array {
  return concat([stringField(1, resource.typeUrl), fieldHead(2, resource.value.length)]);
}

// google.protobuf.Duration: seconds = 1, nanos = 2.
function durationOf(milliseconds: number): Uint8Array {
  const seconds = Math.floor(milliseconds / 1000);
  const nanos = Math.round((milliseconds - seconds * 1000) * 1e6);
  return concat([
    ...(seconds === 0 ? [] : [Uint8Array.of(0x08), varint(seconds)]),
    ...(nanos === 0 ? [] : [Uint8Array.of(0x10), varint(nanos)]),
  ]);
}

// envoy.service.discovery.v3.Resource: version = 1, resource = 2, name = 3, aliases = 4, ttl = 6.
function wrapperHead(resource: EncodedResource): Uint8Array {
  return concat([
    stringField(1, resource.version),
    stringField(3, resource.name),
    ...(resource.aliases ?? []).map((alias) => stringField(4, alias)),
    ...(resource.ttlMs === undefined ? [] : [bytesField(6, durationOf(resource.ttlMs))]),
  ]);
}

/** Field 2 of both response messages is the list of resources. */
const resourcesField = 2;

const unwrapped = new WeakMap<EncodedResource, Piece>();
const wrapped = new WeakMap<EncodedResource, Piece>();

/** `DiscoveryResponse.resources`: the resource in an `Any`. */
export function unwrappedPiece(resource: EncodedResource): Piece {
  let piece = unwrapped.get(resource);
  if (piece === undefined) {
    const any = anyHead(resource);
    piece = [concat([fieldHead(resourcesField, any.length + resource.value.length), any]), resource.value];
    unwrapped.set(resource, piece);
  }
  return piece;
}

/** `DeltaDiscoveryResponse.resources`: name, version, aliases, time to live and the resource. */
export function wrappedPiece(resource: EncodedResource): Piece {
  let piece = wrapped.get(resource);
  if (piece === undefined) {
    const head = wrapperHead(resource);
    const any = anyHead(resource);
    const anySize = any.length + resource.value.length;
    const field = concat([head, fieldHead(2, anySize), any]);
    piece = [concat([fieldHead(resourcesField, field.length + resource.value.length), field]), resource.value];
    wrapped.set(resource, piece);
  }
  return piece;
}

/** The wrapper inside an `Any`, for a SotW client that understands it (`xds.config.supports-resource-in-sotw`). */
export function wrappedInAnyPiece(resource: EncodedResource, body: boolean): Piece {
  const message = body
    ? concat([wrapperHead(resource), bytesField(2, concat([anyHead(resource), resource.value]))])
    : wrapperHead(resource);
  const any = concat([stringField(1, resourceWrapperTypeUrl), bytesField(2, message)]);
  return [bytesField(resourcesField, any)];
}

const resourceWrapperTypeUrl = 'type.googleapis.com/envoy.service.discovery.v3.Resource';

/** A heartbeat: the wrapper without the resource restarts the time to live and changes nothing. */
export function heartbeatPiece(resource: EncodedResource): Piece {
  return [bytesField(resourcesField, wrapperHead(resource))];
}

/**
 * "You asked for this name and nothing is there": a wrapper with the name as its alias and no resource. On-demand virtual
 * hosts are answered so, because Envoy lets the waiting request go on only when the alias comes back.
 */
export function absentPiece(name: string): Piece {
  return [bytesField(resourcesField, concat([stringField(3, name), stringField(4, name)]))];
}
