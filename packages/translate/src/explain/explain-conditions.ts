import { type OriginRef, originKey } from '@weft/ir';
import type { MeshState } from '../state/mesh-state.ts';
import { gatewayApiStatus } from '../status/gateway-api-status.ts';
import { resourceStatus } from '../status/resource-status.ts';
import { type ExplainedSection, type ExplainedValue, refText } from './effective.ts';

/** What loses, does not resolve, or is not acted upon, of the resources that concern a subject. */
export function conditionSections(state: MeshState, origins: readonly OriginRef[]): readonly ExplainedSection[] {
  const losing: ExplainedValue[] = [];
  const unresolved: ExplainedValue[] = [];
  const unsupported: ExplainedValue[] = [];
  const idle: ExplainedValue[] = [];
  const statuses = resourceStatus(state);
  const routes = gatewayApiStatus(state);
  for (const [key, origin] of new Map(origins.map((one) => [originKey(one), one]))) {
    const name = refText(origin);
    const ofRoute = routes.get(key);
    const conditions = [
      ...(statuses.get(key)?.conditions ?? []),
      ...(ofRoute?.kind === 'route' ? ofRoute.parents.flatMap((parent) => parent.conditions) : []),
      ...(ofRoute?.kind === 'policy' ? ofRoute.ancestors.flatMap((ancestor) => ancestor.conditions) : []),
    ];
    for (const { type, status, reason, message } of conditions) {
      const entry = { name, value: message, origin: '' };
      if (type === 'Conflicted' && status === 'True') {
        losing.push(entry);
      } else if (type === 'NotYetSupported' && status === 'True') {
        unsupported.push(entry);
      } else if (type === 'PartiallyInvalid' && status === 'True') {
        idle.push(entry);
      } else if (type === 'ResolvedRefs' && status === 'False') {
        unresolved.push(entry);
      } else if (type === 'Accepted' && status === 'False' && reason !== 'Conflicted') {
        losing.push({ ...entry, value: `not accepted (${reason}): ${message}` });
      }
    }
  }
  return [
    { title: 'what loses', values: losing },
    { title: 'what does not resolve', values: unresolved },
    { title: 'not yet supported', values: unsupported },
    { title: 'what does nothing', values: idle },
  ].filter(({ values }) => values.length > 0);
}
