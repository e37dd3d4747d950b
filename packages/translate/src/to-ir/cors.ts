import type { CorsPolicy } from '@weft/ir';
import { parseDurationMs } from '@weft/resources';
import type { HttpRouteSpec } from '../kinds.ts';
import { stringMatch } from './http-match.ts';

/** The policy of a rule; origins of the older field are compared as they are written, `*` is any. */
export function corsOf(spec: HttpRouteSpec['corsPolicy']): CorsPolicy | undefined {
  if (spec === undefined) {
    return undefined;
  }
  const maxAgeMs = parseDurationMs(spec.maxAge ?? '');
  return {
    origins: [
      ...(spec.allowOrigins ?? []).flatMap((origin) => stringMatch(origin) ?? []),
      ...(spec.allowOrigin ?? []).map((value) => ({ kind: 'exact' as const, value })),
    ],
    methods: spec.allowMethods ?? [],
    headers: spec.allowHeaders ?? [],
    exposed: spec.exposeHeaders ?? [],
    maxAgeSec: maxAgeMs === undefined ? undefined : Math.floor(maxAgeMs / 1000),
    credentials: spec.allowCredentials ?? false,
    forwardUnmatchedPreflights: spec.unmatchedPreflights !== 'IGNORE',
  };
}
