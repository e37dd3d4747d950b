import type { TypeUrl } from '@weft/xds-types';

/** A resource that another one needs. */
export interface Reference {
  readonly typeUrl: TypeUrl;
  /** `*` subscribes to everything of the type that the server has for us, and is not waited for. */
  readonly name: string;
  /**
   * What happens to the resource that holds the reference when this one does not come within the fetch timeout or does not
   * exist: `proceed` uses it nevertheless (endpoints, routes), `wait` keeps it warming (secrets).
   */
  readonly whenMissing: 'proceed' | 'wait';
}

export type DecodeResult<T> = { readonly ok: T } | { readonly error: readonly string[] };

/** How one type of resources is read. */
export interface ResourceType<T = unknown> {
  readonly typeUrl: TypeUrl;
  /** `wildcard`: all that the server has for us (listeners, clusters). `by-reference`: what accepted resources name, and what is demanded. */
  readonly subscription: 'wildcard' | 'by-reference';
  /**
   * Decodes and validates. All errors at once; each says which field is wrong. May throw on malformed bytes (counts as an
   * error). The name is the one the resource was sent under; the decoder checks that the message has the same.
   */
  decode(name: string, bytes: Uint8Array): DecodeResult<T>;
  /** Name inside the message; needed for SotW only, where resources are not wrapped. Undefined: none. */
  nameOf(bytes: Uint8Array): string | undefined;
  /**
   * What the value needs before it can be used: the client subscribes to these names while the value is accepted, and hands
   * the value over only once they are there. Default none.
   */
  references?(value: T): readonly Reference[];
}
