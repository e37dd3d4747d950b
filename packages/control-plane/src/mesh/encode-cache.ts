import type { XdsMessage } from '@weft/translate';
import { type EncodedResource, encodeResource } from '@weft/xds-server';

/**
 * Encodes each message once and gives equal content one object, whichever proxy it is for, so that all streams share the
 * bytes.
 */
export class EncodeCache {
  #byMessage = new WeakMap<XdsMessage, EncodedResource>();
  readonly #byContent = new Map<string, WeakRef<EncodedResource>>();
  #sweepAt = 1_000;

  encode(message: XdsMessage): EncodedResource {
    const known = this.#byMessage.get(message);
    if (known !== undefined) {
      return known;
    }
    const encoded = this.share(
      encodeResource({ typeUrl: message.typeUrl, name: message.name, value: message.encode() }),
    );
    this.#byMessage.set(message, encoded);
    return encoded;
  }

  /** The one object with this content. */
  share(resource: EncodedResource): EncodedResource {
    const key = `${resource.typeUrl}|${resource.name}|${resource.version}`;
    const same = this.#byContent.get(key)?.deref();
    if (same !== undefined) {
      return same;
    }
    this.#byContent.set(key, new WeakRef(resource));
    this.#sweep();
    return resource;
  }

  /** Entries whose resource nobody holds are dropped each time the table has doubled. */
  #sweep(): void {
    if (this.#byContent.size < this.#sweepAt) {
      return;
    }
    for (const [key, reference] of this.#byContent) {
      if (reference.deref() === undefined) {
        this.#byContent.delete(key);
      }
    }
    this.#sweepAt = Math.max(1_000, this.#byContent.size * 2);
  }
}
