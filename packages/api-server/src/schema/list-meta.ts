import type { JsonSchema } from './json-schema.ts';

const text = (description: string): JsonSchema => ({ type: 'string', description });

/** `meta.v1.ListMeta`. */
export const listMetaSchema: JsonSchema = {
  type: 'object',
  description: 'What the API says about a list.',
  properties: {
    resourceVersion: text('Version that the list was read at; a watch can start from it.'),
    continue: text('Token for the next part of the list; empty at its end.'),
    remainingItemCount: { type: 'integer', format: 'int64', description: 'Items that follow, where that is known.' },
    selfLink: text('Not filled in.'),
  },
};
