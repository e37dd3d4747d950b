import type { TypeUrl } from '@weft/xds-types';

/** A resource became active or went away. */
export type ResourceChange =
  | {
      readonly kind: 'set';
      readonly typeUrl: TypeUrl;
      readonly name: string;
      readonly version: string;
      /** What `ResourceType.decode` returned. */
      readonly value: unknown;
      /** Other names by which the server knows it (virtual hosts). */
      readonly aliases: readonly string[];
    }
  | { readonly kind: 'remove'; readonly typeUrl: TypeUrl; readonly name: string };

/**
 * What one response (or the cache, or a timeout) changed, warming done: apply all of it at once. Sets come in the order
 * cluster, endpoint, secret, listener, route, virtual host; removals follow in the opposite order.
 */
export interface UpdateBatch {
  readonly changes: readonly ResourceChange[];
  readonly source: 'cache' | 'server';
}
