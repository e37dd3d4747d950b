import type { Fault, Millionths } from '@weft/ir';
import { grpcStatusNames, parseDurationMs, parseKibibytes } from '@weft/resources';
import type { HttpRouteSpec, RouteActionPolicy } from '../kinds.ts';

type FaultSpec = NonNullable<HttpRouteSpec['fault']>;

/** @param percentage where a share may be given as `{ value: percent }`; `undefined` = all. */
export function shareOf(percentage: { readonly value?: number | undefined } | undefined): Millionths {
  return percentage === undefined ? 1_000_000 : Math.round((percentage.value ?? 0) * 10_000);
}

/** Faults that are made on purpose; undefined when there are none. A policy adds those that the rule does not have itself. */
export function faultOf(spec: FaultSpec | undefined, policy: RouteActionPolicy | undefined): Fault | undefined {
  const added = policy?.spec.fault;
  const delay = delayOf(spec?.delay ?? added?.delay);
  const abort = abortOf(spec?.abort ?? added?.abort);
  const bandwidth = bandwidthOf(added?.bandwidth);
  return delay === undefined && abort === undefined && bandwidth === undefined
    ? undefined
    : { delay, abort, ...(bandwidth === undefined ? {} : { bandwidth }) };
}

type BandwidthSpec = NonNullable<NonNullable<RouteActionPolicy['spec']['fault']>['bandwidth']>;

function bandwidthOf(spec: BandwidthSpec | undefined): Fault['bandwidth'] {
  const kibPerSecond = parseKibibytes(spec?.limit ?? '');
  return kibPerSecond === undefined ? undefined : { kibPerSecond, share: shareOf(spec?.percentage) };
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
