import type { SessionPersistence } from '@weft/ir';
import { type KubeHttpRouteRule, parseDurationMs } from '@weft/resources';

type SessionSpec = NonNullable<KubeHttpRouteRule['sessionPersistence']>;

/** Name where the route leaves it to us. */
const sessionName = 'weft-session';

export function sessionOf(spec: SessionSpec | undefined): SessionPersistence | undefined {
  if (spec === undefined) {
    return undefined;
  }
  const name = spec.sessionName ?? sessionName;
  if (spec.type === 'Header') {
    return { kind: 'header', name };
  }
  const isPermanent = spec.cookieConfig?.lifetimeType === 'Permanent';
  const ttlMs = isPermanent ? (parseDurationMs(spec.absoluteTimeout ?? '0') ?? 0) : 0;
  return { kind: 'cookie', name, path: '/', ttlMs };
}

/** What nothing acts upon: a proxy keeps no sessions, so that one ends where its cookie does, or never. */
export function unusedSessionFields(spec: SessionSpec | undefined): readonly string[] {
  const session = sessionOf(spec);
  const isEnded = session?.kind === 'cookie' && session.ttlMs > 0;
  return [
    ...(spec?.idleTimeout === undefined ? [] : ['idleTimeout']),
    ...(spec?.absoluteTimeout === undefined || isEnded ? [] : ['absoluteTimeout']),
  ];
}
