import { choice, integer, list, object, text, time } from '../../schema/fields.ts';

const reasonPattern = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;
const typePattern =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/;

function condition() {
  return object(
    'One statement about the current state.',
    {
      type: text('What the statement is about, in CamelCase.', {
        max: 316,
        pattern: typePattern,
        form: 'a CamelCase word, with a domain before it or not',
      }),
      status: choice('Whether it holds.', ['True', 'False', 'Unknown']),
      observedGeneration: integer(
        'The `metadata.generation` that the statement is about.',
        { min: 0 },
        { format: 'int64' },
      ),
      lastTransitionTime: time('When `status` last changed.'),
      reason: text('One CamelCase word for programs.', {
        min: 1,
        max: 1024,
        pattern: reasonPattern,
        form: 'a CamelCase word',
      }),
      message: text('A sentence for people.', { max: 32_768 }),
    },
    ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
  );
}

/** Most conditions of one list. */
const conditionsMax = 8;

interface ConditionsOptions {
  readonly min?: number;
  /** Conditions that stand there until a controller has looked at the object. */
  readonly pending?: readonly string[];
}

/** What stands in a new object until a controller has looked at it. */
export function pendingConditions(types: readonly string[]) {
  return types.map((type) => ({
    type,
    status: 'Unknown',
    lastTransitionTime: '1970-01-01T00:00:00Z',
    reason: 'Pending',
    message: 'Waiting for controller',
  }));
}

/** Conditions of the Gateway API's kinds, one of each type. */
export function gatewayConditions(description: string, { min, pending }: ConditionsOptions = {}) {
  return list(
    description,
    condition(),
    { max: conditionsMax, ...(min === undefined ? {} : { min }) },
    {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      ...(pending === undefined ? {} : { default: pendingConditions(pending) }),
    },
  );
}
