import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '@weft/base';
import { BinaryReader, BinaryWriter, type TypeUrl } from '@weft/xds-types';
import { DeltaDiscoveryResponse } from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';

/** A resource as it is kept on disk. */
export interface CachedResource {
  readonly name: string;
  readonly version: string;
  readonly aliases: readonly string[];
  readonly bytes: Uint8Array;
}

export type CachedResources = ReadonlyMap<TypeUrl, readonly CachedResource[]>;

/** Format and its version; a file that begins otherwise is not ours. */
const magic = Buffer.from('WEFTXDS1');
const digestBytes = 32;

// The payload is a protobuf message: node id = 1, repeated DeltaDiscoveryResponse = 2 (one for each type).
const nodeIdTag = (1 << 3) | 2;
const typeTag = (2 << 3) | 2;

/** `magic ‖ SHA-256(payload) ‖ payload` */
export function encodeCache(nodeId: string, resources: CachedResources): Buffer {
  const writer = new BinaryWriter();
  writer.uint32(nodeIdTag).string(nodeId);
  for (const [typeUrl, list] of resources) {
    const message: DeltaDiscoveryResponse = {
      systemVersionInfo: '',
      typeUrl,
      removedResources: [],
      removedResourceNames: [],
      nonce: '',
      controlPlane: undefined,
      resources: list.map(({ name, version, aliases, bytes }) => ({
        name,
        version,
        aliases: [...aliases],
        resource: { typeUrl, value: bytes },
        resourceName: undefined,
        ttl: undefined,
        cacheControl: undefined,
        metadata: undefined,
      })),
    };
    writer.uint32(typeTag).bytes(DeltaDiscoveryResponse.encode(message).finish());
  }
  const payload = writer.finish();
  return Buffer.concat([magic, createHash('sha256').update(payload).digest(), payload]);
}

/** @returns what is wrong with the file, as a sentence, when it cannot be used. */
export function decodeCache(file: Uint8Array, nodeId: string): CachedResources | string {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const payload = bytes.subarray(magic.length + digestBytes);
  const digest = bytes.subarray(magic.length, magic.length + digestBytes);
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    return 'it is not a cache of this version';
  }
  if (!createHash('sha256').update(payload).digest().equals(digest)) {
    return 'its checksum is wrong';
  }
  const resources = new Map<TypeUrl, CachedResource[]>();
  const reader = new BinaryReader(payload);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === nodeIdTag) {
      const owner = reader.string();
      if (owner !== nodeId) {
        return `it belongs to node ${owner}`;
      }
    } else if (tag === typeTag) {
      const message = DeltaDiscoveryResponse.decode(reader.bytes());
      resources.set(
        message.typeUrl as TypeUrl,
        message.resources.map(({ name, version, aliases, resource }) => ({
          name,
          version,
          aliases,
          bytes: resource?.value ?? new Uint8Array(0),
        })),
      );
    } else {
      reader.skip(tag & 7);
    }
  }
  return resources;
}

/**
 * The last good resources on disk: private to the owner, replaced as a whole, so that a crash leaves the old or the new one. A
 * file that cannot be used is ignored with a warning; a write that fails is logged and tried again with the next change.
 */
export class CacheFile {
  readonly #path: string;
  readonly #nodeId: string;
  readonly #logger: Logger;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, nodeId: string, logger: Logger) {
    this.#path = path;
    this.#nodeId = nodeId;
    this.#logger = logger.with({ cacheFile: path });
  }

  async read(): Promise<CachedResources | undefined> {
    try {
      const decoded = decodeCache(await readFile(this.#path), this.#nodeId);
      if (typeof decoded !== 'string') {
        return decoded;
      }
      this.#logger.warn('the cached configuration is ignored', { reason: decoded });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#logger.warn('the cached configuration cannot be read', { error });
      }
    }
    return undefined;
  }

  /** Writes follow each other; `resources` is called when it is this one's turn. Never rejects. */
  write(resources: () => CachedResources): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#replace(encodeCache(this.#nodeId, resources()));
      } catch (error) {
        this.#logger.error(
          'the configuration cannot be cached; a restart without the control plane would start empty',
          {
            error,
          },
        );
      }
    });
    return this.#writing;
  }

  /** Resolves when no write is under way. */
  idle(): Promise<void> {
    return this.#writing;
  }

  async #replace(content: Buffer): Promise<void> {
    const folder = dirname(this.#path);
    const temporary = `${this.#path}.new`;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#path);
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
