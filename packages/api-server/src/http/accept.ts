import type { IncludeObject } from '../table/table.ts';

/** In what form an answer is wanted. */
export type WantedForm = 'object' | 'table' | 'metadata';

/** The first form of the `Accept` header that the server can give; undefined when there is none. */
export function wantedForm(accept: string | undefined): WantedForm | undefined {
  if (accept === undefined || accept.trim() === '') {
    return 'object';
  }
  for (const range of accept.split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3);
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') {
      continue;
    }
    if (as === undefined) {
      return 'object';
    }
    if (!parameters.includes('g=meta.k8s.io') || !parameters.includes('v=v1')) {
      continue;
    }
    if (as === 'Table') {
      return 'table';
    }
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
      return 'metadata';
    }
  }
  return undefined;
}

export function includeObjectOf(text: string | null): IncludeObject {
  return text === 'None' || text === 'Object' ? text : 'Metadata';
}
