import { type Brand, MeshError } from '@weft/base';

/** `spiffe://<trust domain>/<path>`, valid by the SPIFFE-ID specification. */
export type SpiffeId = Brand<string, 'SpiffeId'>;

/** The identity of a workload in Weft: a service account of a namespace of a trust domain. */
export interface WorkloadIdentity {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

export type SpiffeIdResult =
  | { readonly ok: true; readonly id: SpiffeId; readonly trustDomain: string; readonly segments: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** SPIFFE-ID §2.3: "SPIFFE implementations MUST support SPIFFE URIs up to 2048 bytes … and MUST NOT generate more". */
export const maxSpiffeIdBytes = 2048;
/** SPIFFE-ID §2.3: the trust domain is at most 255 bytes. */
export const maxTrustDomainBytes = 255;

const scheme = 'spiffe://';
const trustDomainPattern = /^[a-z0-9._-]+$/;
const segmentPattern = /^[A-Za-z0-9._-]+$/;

/**
 * Reads a SPIFFE id, strictly: lower-case scheme, no user information, port, query, fragment, percent-encoding, empty or
 * dot segments, trailing slash. An id without a path (a trust domain) is valid and has no segments.
 */
export function parseSpiffeId(text: string): SpiffeIdResult {
  if (text.length > maxSpiffeIdBytes) {
    return { ok: false, reason: `longer than ${maxSpiffeIdBytes} bytes` };
  }
  if (!text.startsWith(scheme)) {
    return { ok: false, reason: 'does not begin with spiffe://' };
  }
  const [trustDomain = '', ...segments] = text.slice(scheme.length).split('/');
  const wrong = trustDomainProblem(trustDomain);
  if (wrong !== undefined) {
    return { ok: false, reason: wrong };
  }
  for (const segment of segments) {
    if (segment === '') {
      return { ok: false, reason: 'the path has an empty segment or ends in a slash' };
    }
    if (segment === '.' || segment === '..') {
      return { ok: false, reason: 'the path has a dot segment' };
    }
    if (!segmentPattern.test(segment)) {
      return { ok: false, reason: 'the path may hold only letters, digits, dots, hyphens and underscores' };
    }
  }
  return { ok: true, id: text as SpiffeId, trustDomain, segments };
}

/** What is wrong with the name of a trust domain, or undefined. */
export function trustDomainProblem(name: string): string | undefined {
  if (name === '') {
    return 'the trust domain is empty';
  }
  if (name.length > maxTrustDomainBytes) {
    return `the trust domain is longer than ${maxTrustDomainBytes} bytes`;
  }
  if (!trustDomainPattern.test(name)) {
    return 'the trust domain may hold only lower-case letters, digits, dots, hyphens and underscores';
  }
  return undefined;
}

/**
 * The SPIFFE id of a workload: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`.
 * @throws MeshError `INVALID` when a part cannot stand in a SPIFFE id.
 */
export function formatWorkloadId(identity: WorkloadIdentity): SpiffeId {
  const { trustDomain, namespace, serviceAccount } = identity;
  const text = `${scheme}${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
  const parsed = parseSpiffeId(text);
  if (!parsed.ok) {
    throw new MeshError('INVALID', `no SPIFFE id can be made of ${JSON.stringify(text)}: ${parsed.reason}`);
  }
  if (parsed.segments.length !== 4) {
    throw new MeshError('INVALID', `namespace and service account may not hold a slash: ${JSON.stringify(text)}`);
  }
  return parsed.id;
}

/** The workload that an id names; undefined when it is malformed or not of the form that {@link formatWorkloadId} writes. */
export function parseWorkloadId(text: string): WorkloadIdentity | undefined {
  const parsed = parseSpiffeId(text);
  if (!parsed.ok || parsed.segments.length !== 4) {
    return undefined;
  }
  const [ns, namespace, sa, serviceAccount] = parsed.segments;
  if (ns !== 'ns' || sa !== 'sa' || namespace === undefined || serviceAccount === undefined) {
    return undefined;
  }
  return { trustDomain: parsed.trustDomain, namespace, serviceAccount };
}
