import type { KubeObject } from '@weft/resources';
import { formatValue } from '../terminal/output.ts';

/** An object as YAML without its status and what changes by itself, so that only what a user changed makes a difference. */
export function comparable(object: KubeObject | undefined): string {
  if (object === undefined) {
    return '';
  }
  const { apiVersion, kind, metadata, ...rest } = object as KubeObject & { readonly status?: unknown };
  const { status: _, ...body } = rest as Record<string, unknown>;
  const { managedFields, resourceVersion, generation, uid, creationTimestamp, ...kept } = metadata;
  return formatValue({ apiVersion, kind, metadata: kept, ...body }, 'yaml');
}
