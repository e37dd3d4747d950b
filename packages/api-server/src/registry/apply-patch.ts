import { type JsonObject, PatchError } from '../patch/json.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../patch/strategic-merge-patch.ts';
import type { ServedResource } from './served-resource.ts';
import { badRequest, invalid } from './status-error.ts';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

/** Media types of `PATCH` (RFC 6902, RFC 7386, and Kubernetes' own). */
export const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** The patched document. @throws StatusError 400 for a patch that is none, 422 for one that does not fit. */
export function applyPatch(
  type: Exclude<PatchType, 'apply'>,
  document: JsonObject,
  patch: unknown,
  resource: ServedResource,
): unknown {
  try {
    switch (type) {
      case 'json':
        return applyJsonPatch(document, patch);
      case 'merge':
        return applyMergePatch(document, patch);
      case 'strategic':
        return applyStrategicMergePatch(document, patch, resource.structure);
    }
  } catch (error) {
    if (!(error instanceof PatchError)) {
      throw error;
    }
    const name = (document['metadata'] as { readonly name?: string } | undefined)?.name ?? '';
    if (error.sort === 'malformed') {
      throw badRequest(`the patch is malformed${error.path === '' ? '' : ` at ${error.path}`}: ${error.message}`);
    }
    throw invalid(resource, name, [
      {
        path: error.path,
        code: 'FieldValueInvalid',
        message: error.message,
        fix: 'Read the object again and mend the patch.',
      },
    ]);
  }
}
