import { choice, int64, keyedList, object, text, time } from './fields.ts';

/** The conditions of Weft's own and of Kubernetes' kinds (`meta.v1.Condition`), merged by type. */
export function conditions(description: string) {
  return keyedList(
    description,
    object(
      'One statement about the current state of the object.',
      {
        type: text('What the statement is about, in CamelCase.', { max: 316 }),
        status: choice('Whether it holds.', ['True', 'False', 'Unknown']),
        observedGeneration: int64('The `metadata.generation` that the statement is about.', { min: 0 }),
        lastTransitionTime: time('When `status` last changed.'),
        reason: text('One CamelCase word for programs.', { max: 1024 }),
        message: text('A sentence for people.', { max: 32_768 }),
      },
      ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
    ),
    { listMapKeys: ['type'], patchMergeKey: 'type' },
  );
}
