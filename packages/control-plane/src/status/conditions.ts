import type { Condition } from '@weft/resources';

/** A condition as it is wished for, before times are known. */
export type WantedCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** How urgent a difference between conditions is. */
export type Difference = 'none' | 'wording' | 'substance';

/** Types of conditions of a Service by what clients were seen to speak; they stay while nothing is known. */
const protocolTypes: readonly string[] = ['ProtocolMismatch', 'ProtocolUndeclared'];

/** Those of them that are stored and still speak of this generation. */
export function storedProtocolConditions(stored: readonly Condition[], generation: number): readonly WantedCondition[] {
  return stored.filter(
    ({ type, observedGeneration }) => protocolTypes.includes(type) && Number(observedGeneration) === generation,
  );
}

/** The types that Weft writes; conditions of other types belong to somebody else and stay. */
const ownTypes: ReadonlySet<string> = new Set([
  'Accepted',
  'Programmed',
  'ResolvedRefs',
  'Conflicted',
  'NotYetSupported',
  ...protocolTypes,
]);

/** What distinguishes `wanted` from what is stored; `wording` when only messages differ. */
export function compareConditions(
  stored: readonly Condition[],
  wanted: readonly WantedCondition[],
  generation: number,
): Difference {
  const own = stored.filter(({ type }) => ownTypes.has(type));
  if (own.length !== wanted.length) {
    return 'substance';
  }
  let difference: Difference = 'none';
  for (const condition of wanted) {
    const old = own.find(({ type }) => type === condition.type);
    if (
      old === undefined ||
      old.status !== condition.status ||
      old.reason !== condition.reason ||
      Number(old.observedGeneration) !== generation
    ) {
      return 'substance';
    }
    if (old.message !== condition.message) {
      difference = 'wording';
    }
  }
  return difference;
}

/** The list to store: times move only when the status of a condition does. */
export function mergeConditions(
  stored: readonly Condition[],
  wanted: readonly WantedCondition[],
  generation: number,
  now: Date,
): readonly Condition[] {
  const time = `${now.toISOString().slice(0, 19)}Z`;
  const others = stored.filter(({ type }) => !ownTypes.has(type));
  const merged = wanted.map((condition): Condition => {
    const old = stored.find(({ type }) => type === condition.type);
    return {
      type: condition.type,
      status: condition.status,
      reason: condition.reason,
      message: condition.message,
      observedGeneration: generation,
      lastTransitionTime: old?.status === condition.status ? old.lastTransitionTime : time,
    };
  });
  return [...others, ...merged];
}
