import type { ServicePort } from '@weft/admin-api';
import type { WantedCondition } from './conditions.ts';

/**
 * What is to be said of the ports of a Service as conditions, each there only while it holds: `ProtocolMismatch` and
 * `ProtocolUndeclared`. undefined: none of its ports was heard of, as after a restart, so that what was said before stays.
 */
export function protocolConditions(ports: readonly ServicePort[]): readonly WantedCondition[] | undefined {
  if (ports.every(({ seen }) => seen.length === 0)) {
    return undefined;
  }
  return (['mismatch', 'undeclared'] as const).flatMap((kind) => {
    const messages = ports.flatMap(({ advice }) => (advice?.kind === kind ? [`${advice.message}: ${advice.fix}`] : []));
    return messages.length === 0
      ? []
      : [{ ...conditionsByKind[kind], status: 'True' as const, message: messages.join('; ') }];
  });
}

const conditionsByKind = {
  mismatch: { type: 'ProtocolMismatch', reason: 'OtherSeen' },
  undeclared: { type: 'ProtocolUndeclared', reason: 'Detected' },
} as const;
