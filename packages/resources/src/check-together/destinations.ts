import type { PathSegment } from '../field-path.ts';
import type { Destination, VirtualService } from '../kinds/networking/virtual-service.ts';

/** A destination of a VirtualService and where it stands. */
export interface PlacedDestination {
  readonly destination: Destination;
  readonly path: readonly PathSegment[];
}

/** Every destination that rules of a VirtualService send requests, copies of them, or connections to. */
export function destinationsOf({ spec }: VirtualService): readonly PlacedDestination[] {
  const found: PlacedDestination[] = [];
  for (const kind of ['http', 'tls', 'tcp'] as const) {
    for (const [index, rule] of (spec?.[kind] ?? []).entries()) {
      for (const [at, { destination }] of (rule.route ?? []).entries()) {
        found.push({ destination, path: ['spec', kind, index, 'route', at, 'destination'] });
      }
    }
  }
  for (const [index, { mirror, mirrors }] of (spec?.http ?? []).entries()) {
    if (mirror !== undefined) {
      found.push({ destination: mirror, path: ['spec', 'http', index, 'mirror'] });
    }
    for (const [at, { destination }] of (mirrors ?? []).entries()) {
      if (destination !== undefined) {
        found.push({ destination, path: ['spec', 'http', index, 'mirrors', at, 'destination'] });
      }
    }
  }
  return found;
}
