/**
 * Envoy's response flags as bits: why a response is not simply what the upstream said. `StreamInfo.responseFlags` is the
 * sum of them.
 */
export const ResponseFlag = {
  UH: 1 << 0,
  UF: 1 << 1,
  UO: 1 << 2,
  NR: 1 << 3,
  URX: 1 << 4,
  NC: 1 << 5,
  UT: 1 << 6,
  UC: 1 << 7,
  LR: 1 << 8,
  UR: 1 << 9,
  DC: 1 << 10,
  LH: 1 << 11,
  DI: 1 << 12,
  FI: 1 << 13,
  RL: 1 << 14,
  UAEX: 1 << 15,
  RLSE: 1 << 16,
  IH: 1 << 17,
  SI: 1 << 18,
  DPE: 1 << 19,
  UPE: 1 << 20,
  UMSDR: 1 << 21,
  OM: 1 << 22,
  DF: 1 << 23,
  DT: 1 << 24,
  DR: 1 << 25,
} as const;

export type ResponseFlagName = keyof typeof ResponseFlag;

const names = Object.keys(ResponseFlag) as ResponseFlagName[];

const longNames: Readonly<Record<ResponseFlagName, string>> = {
  UH: 'NoHealthyUpstream',
  UF: 'UpstreamConnectionFailure',
  UO: 'UpstreamOverflow',
  NR: 'NoRouteFound',
  URX: 'UpstreamRetryLimitExceeded',
  NC: 'NoClusterFound',
  UT: 'UpstreamRequestTimeout',
  UC: 'UpstreamConnectionTermination',
  LR: 'LocalReset',
  UR: 'UpstreamRemoteReset',
  DC: 'DownstreamConnectionTermination',
  LH: 'FailedLocalHealthCheck',
  DI: 'DelayInjected',
  FI: 'FaultInjected',
  RL: 'RateLimited',
  UAEX: 'UnauthorizedExternalService',
  RLSE: 'RateLimitServiceError',
  IH: 'InvalidEnvoyRequestHeaders',
  SI: 'StreamIdleTimeout',
  DPE: 'DownstreamProtocolError',
  UPE: 'UpstreamProtocolError',
  UMSDR: 'UpstreamMaxStreamDurationReached',
  OM: 'OverloadManagerTerminated',
  DF: 'DnsResolutionFailed',
  DT: 'DurationTimeout',
  DR: 'DownstreamRemoteReset',
};

/** Texts of the combinations that were seen; there are few. */
const shortTexts = new Map<number, string>();

/** `%RESPONSE_FLAGS%`: the flags' names joined by `,`, or `-` if there are none. */
export function responseFlagsText(flags: number): string {
  if (flags === 0) {
    return '-';
  }
  const known = shortTexts.get(flags);
  if (known !== undefined) {
    return known;
  }
  const text = names.filter((name) => (flags & ResponseFlag[name]) !== 0).join(',');
  shortTexts.set(flags, text);
  return text;
}

/** `%RESPONSE_FLAGS_LONG%` */
export function responseFlagsLongText(flags: number): string {
  return flags === 0
    ? '-'
    : names
        .filter((name) => (flags & ResponseFlag[name]) !== 0)
        .map((name) => longNames[name])
        .join(',');
}
