import type { Fault, Millionths } from '@weft/ir';
import { grpcStatusNames, parseDurationMs } from '@weft/resources';
import type { HttpRouteSpec } from '../kinds.ts';

type FaultSpec = NonNullable<HttpRouteSpec['fault']>;

/** @param percentage where a share may be given as `{ value: percent }`; `undefined` = all. */
export function shareOf(percentage: { readonly value?: number | undefined } | undefined): Millionths {
  return percentage === undefined ? 1_000_000 : Math.round((percentage.value ?? 0) * 10_000);
}

/** Faults that are made on purpose; undefined when there are none. */
export function faultOf(spec: FaultSpec | undefined): Fault | undefined {
  const delay = delayOf(spec?.delay);
  const abort = abortOf(spec?.abort);
  return delay === undefined && abort === undefined ? undefined : { delay, abort };
}

function delayOf(spec: FaultSpec['delay']): Fault['delay'] {
  const ms = parseDurationMs(spec?.fixedDelay ?? '') ?? 0;
  // The older way to give a share, which Istio still takes where the newer one is missing.
  const percentage = spec?.percentage ?? (spec?.percent === undefined ? undefined : { value: spec.percent });
  return ms === 0 ? undefined : { ms, share: shareOf(percentage) };
}

function abortOf(spec: FaultSpec['abort']): Fault['abort'] {
  const share = shareOf(spec?.percentage);
  if (spec?.httpStatus !== undefined) {
    return { kind: 'http', status: spec.httpStatus, share };
  }
  const code = grpcStatusNames.indexOf(spec?.grpcStatus ?? '');
  return code < 0 ? undefined : { kind: 'grpc', code, share };
}
