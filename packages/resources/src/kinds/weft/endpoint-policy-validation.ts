import { isIpAddress } from '../../format/address.ts';
import { parseDurationMs } from '../../format/duration.ts';
import { isHostName } from '../../format/hosts.ts';
import { isPort } from '../../format/ports.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { checkTargets } from '../gateway/policy-attachment.ts';
import { checkOneOf } from '../networking/istio-checks.ts';
import type { EndpointHealthCheck, EndpointPolicy } from './endpoint-policy.ts';

/** `group/kind` of what has endpoints. */
const targetKinds: readonly string[] = ['/Service', 'networking.istio.io/ServiceEntry'];

const ways = ['http', 'grpc', 'tcp'] as const;

/** A check every few milliseconds by every caller would be an attack; one every few hours tells nothing. */
const intervalMs = { min: 500, max: 3_600_000 };
const timeoutMs = { min: 10, max: 60_000 };
const cacheTimeMs = { min: 100, max: 60_000 };

function checkBetween(place: Place, text: string | undefined, { min, max }: { min: number; max: number }): void {
  if (text === undefined) {
    return;
  }
  const ms = parseDurationMs(text);
  if (ms === undefined) {
    place.invalid(text, 'not a duration', 'Write it as 5s, 250ms or 1h30m.');
  } else if (ms < min || ms > max) {
    place.invalid(text, `must be from ${showMs(min)} to ${showMs(max)}`, 'Use a duration between the two.');
  }
}

function showMs(ms: number): string {
  return ms < 1_000 ? `${ms}ms` : ms < 60_000 ? `${ms / 1_000}s` : ms < 3_600_000 ? `${ms / 60_000}m` : '1h';
}

/** A host name or address, with a port or without. */
function checkAuthority(place: Place, authority: string | undefined): void {
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority ?? 'a') ?? [];
  const isHost = host.startsWith('[') ? isIpAddress(host.slice(1, -1)) : isIpAddress(host) || isHostName(host);
  if (!isHost || (port !== undefined && !isPort(Number(port)))) {
    place.invalid(authority, 'not a host, with a port or without', 'Write it as health.example.com or [::1]:8080.');
  }
}

/** Visible ASCII; a fragment is never sent. */
const pathPattern = /^\/[!-"$-~]*$/;

/** The first and last status of `204` or `200-299`; undefined: it is neither. */
export function statusRange(item: number | string): readonly [number, number] | undefined {
  const [, first = '', last = first] = /^(\d{3})(?:-(\d{3}))?$/.exec(String(item)) ?? [];
  const [from, to] = [Number(first), Number(last)];
  return from >= 100 && to <= 599 && from <= to ? [from, to] : undefined;
}

function checkHttp(place: Place, http: NonNullable<EndpointHealthCheck['http']>): void {
  if (!pathPattern.test(http.path)) {
    place
      .at('path')
      .invalid(http.path, 'not a path', 'Begin it with `/`, and write blanks and what is not ASCII as %XX.');
  }
  checkAuthority(place.at('host'), http.host);
  for (const [index, item] of (http.expectedStatuses ?? []).entries()) {
    if (statusRange(item) === undefined) {
      place
        .at('expectedStatuses', index)
        .invalid(item, 'not a status from 100 to 599, nor a range of them', 'Write it as 204 or "200-299".');
    }
  }
  checkBetween(place.at('cacheTime'), http.cacheTime, cacheTimeMs);
}

type Payload = NonNullable<NonNullable<EndpointHealthCheck['tcp']>['send']>;

function checkPayload(place: Place, payload: Payload): void {
  checkOneOf(place, payload, ['text', 'base64']);
  if (payload.text === undefined && (payload.base64 ?? '') === '') {
    place.required('neither text nor base64 is there', 'Add one of them.');
  } else if (Buffer.byteLength(payload.base64 ?? '', 'base64') > 4096) {
    place.at('base64').tooLong('it has more than 4096 bytes', 'Use a shorter one.');
  }
}

function checkHealthCheck(place: Place, check: EndpointHealthCheck): void {
  const { interval, timeout, jitter, http, tcp, grpc } = check;
  checkBetween(place.at('interval'), interval, intervalMs);
  checkBetween(place.at('timeout'), timeout, timeoutMs);
  const most = parseDurationMs(interval ?? '10s') ?? intervalMs.max;
  checkBetween(place.at('jitter'), jitter, { min: 0, max: most });
  checkOneOf(place, check, ways);
  if (http === undefined && grpc === undefined && tcp === undefined) {
    place.required('nothing says how endpoints are checked', 'Add http, grpc or tcp.');
  }
  if (http !== undefined) {
    checkHttp(place.at('http'), http);
  }
  checkAuthority(place.at('grpc', 'authority'), grpc?.authority);
  if (tcp?.send !== undefined) {
    checkPayload(place.at('tcp', 'send'), tcp.send);
  }
  for (const [index, payload] of (tcp?.receive ?? []).entries()) {
    checkPayload(place.at('tcp', 'receive', index), payload);
  }
}

export function validateEndpointPolicy({ spec }: EndpointPolicy): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  const { targetRefs, healthCheck, loadBalancer } = spec;
  checkTargets(place.at('targetRefs'), targetRefs, 'target', 'port');
  for (const [index, { group, kind }] of targetRefs.entries()) {
    if (!targetKinds.includes(`${group}/${kind}`)) {
      place
        .at('targetRefs', index, 'kind')
        .unsupported(`${group}/${kind}`, targetKinds, 'Name a Service (group "") or a ServiceEntry.');
    }
  }
  if (healthCheck === undefined && Object.keys(loadBalancer ?? {}).length === 0) {
    place.required('the policy says nothing', 'Add healthCheck or loadBalancer.');
  }
  if (healthCheck !== undefined) {
    checkHealthCheck(place.at('healthCheck'), healthCheck);
  }
  return root.violations;
}

/** A sidecar takes connections whether its application is there or not. */
export function endpointPolicyWarnings({ spec }: EndpointPolicy): Violation[] {
  const root = Place.root();
  const { tcp } = spec.healthCheck ?? {};
  if (tcp !== undefined && tcp.receive === undefined) {
    root
      .at('spec', 'healthCheck', 'tcp', 'receive')
      .required(
        'without an answer to wait for, the check only says that something listens: of a workload with a sidecar, the sidecar',
        'Add what the application answers, or check by http or grpc.',
      );
  }
  return root.violations;
}
