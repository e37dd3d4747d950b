import { type EffectiveListener, isOpen } from '../to-ir/gateway-api/listeners.ts';
import { condition, type GatewayCondition } from './gateway-condition.ts';

/** What is said of one listener, of a Gateway or of a ListenerSet. */
export interface ListenerStatus {
  readonly name: string;
  /** Kinds of Gateway API's own group. */
  readonly supportedKinds: readonly string[];
  readonly attachedRoutes: number;
  readonly conditions: readonly GatewayCondition[];
}

const refusalReasons = { protocol: 'UnsupportedProtocol', 'client-certificates': 'NoValidCACertificate' } as const;

/** @param served ports that some proxy opens. */
export function listenerStatus(effective: EffectiveListener, served: ReadonlySet<number>): ListenerStatus {
  const { listener, problem, supportedKinds, invalidKinds, certificateProblems, routes } = effective;
  const [certificateProblem] = certificateProblems;
  const open = isOpen(effective);
  const accepted =
    problem === undefined
      ? condition('Accepted', true, 'Accepted', 'the listener is valid')
      : condition(
          'Accepted',
          false,
          problem.kind === 'conflict' ? problem.reason : refusalReasons[problem.kind],
          problem.message,
        );
  const conflicted =
    problem?.kind === 'conflict'
      ? condition('Conflicted', true, problem.reason, problem.message)
      : condition('Conflicted', false, 'NoConflicts', 'no other listener has its place');
  const resolved =
    certificateProblem !== undefined
      ? condition('ResolvedRefs', false, certificateProblem.reason, certificateProblem.message)
      : invalidKinds.length > 0
        ? condition(
            'ResolvedRefs',
            false,
            'InvalidRouteKinds',
            `routes of kind ${invalidKinds.join(', ')} cannot attach to protocol ${listener.protocol}`,
          )
        : condition('ResolvedRefs', true, 'ResolvedRefs', 'all references are known');
  return {
    name: listener.name,
    supportedKinds,
    attachedRoutes: routes.length,
    conditions: [
      accepted,
      conflicted,
      resolved,
      open && served.has(listener.port)
        ? condition('Programmed', true, 'Programmed', 'the listener is open')
        : condition(
            'Programmed',
            false,
            open ? 'Pending' : 'Invalid',
            open ? 'no proxy serves it, or has a place for its port' : 'it is not opened',
          ),
    ],
  };
}
