import { equalsLower, hashName, knownHeaderByName } from '../../known-header.ts';
import { staticCount, staticNames } from './static-table.ts';

/** How the encoder treats fields of a name. */
export const Policy = {
  /** Goes into the table when the same value was sent lately: what repeats is found, what does not costs no room. */
  whenRepeated: 0,
  /** Goes into the table at once: values of a connection are the same from head to head. */
  atOnce: 1,
  /** Hardly ever the same twice: one entry is kept for the sake of the name. */
  nameOnly: 2,
  /** Secrets: never indexed here nor at any later hop, so that nobody can guess at them by the size of a block (RFC 7541 §7.1). */
  never: 3,
  /** A field of the connection (RFC 9113 §8.2.2), or said by a pseudo field: left out. */
  dropped: 4,
  /** Only `trailers` may be sent. */
  te: 5,
} as const;

/** A number of `Policy`. */
export type PolicyId = number;

const namesByPolicy: readonly (readonly [PolicyId, string])[] = [
  [
    Policy.atOnce,
    ':authority :method :status :protocol accept accept-encoding accept-language access-control-allow-origin ' +
      'cache-control content-encoding content-type grpc-accept-encoding grpc-encoding grpc-status origin server ' +
      'trailer user-agent vary via x-forwarded-client-cert x-forwarded-host x-forwarded-proto x-weft-names',
  ],
  [
    Policy.nameOnly,
    'b3 content-range grpc-timeout traceparent x-amzn-trace-id x-b3-parentspanid x-b3-spanid x-b3-traceid ' +
      'x-cloud-trace-context x-request-id',
  ],
  [Policy.never, 'authorization cookie proxy-authorization set-cookie'],
  [Policy.dropped, 'connection host http2-settings keep-alive proxy-connection transfer-encoding upgrade'],
  [Policy.te, 'te'],
];

/** What is known of a name; the entry 0 stands for all others. */
export const namePolicies: PolicyId[] = [Policy.whenRepeated];
/** First index of the name in the static table, 0: not there. */
export const nameStaticIndexes: number[] = [0];
const nameBytes: Buffer[] = [Buffer.alloc(0)];

const slotMask = 255;
const slotHashes = new Int32Array(slotMask + 1);
const slotRules = new Uint8Array(slotMask + 1);
/** Number of the rule for a `KnownHeader`, 0 for those without a rule. */
export const rulesById: Uint8Array = new Uint8Array(256);

for (const [name, policy, staticIndex] of rules()) {
  const rule = nameBytes.length;
  namePolicies.push(policy);
  nameStaticIndexes.push(staticIndex);
  nameBytes.push(Buffer.from(name, 'latin1'));
  const hash = hashName(name);
  let slot = hash & slotMask;
  while (slotRules[slot] !== 0) {
    slot = (slot + 1) & slotMask;
  }
  slotHashes[slot] = hash;
  slotRules[slot] = rule;
  const id = knownHeaderByName(name);
  if (id !== 0) {
    rulesById[id] = rule;
  }
}

function rules(): (readonly [name: string, policy: PolicyId, staticIndex: number])[] {
  const policies = new Map<string, PolicyId>();
  for (let index = 1; index <= staticCount; index += 1) {
    policies.set(staticNames[index] as string, Policy.whenRepeated);
  }
  for (const [policy, names] of namesByPolicy) {
    for (const name of names.split(' ')) {
      policies.set(name, policy);
    }
  }
  return [...policies].map(([name, policy]) => [name, policy, Math.max(0, staticNames.indexOf(name, 1))] as const);
}

/** Number of the rule for the name in `bytes[start, end)`, in any case, whose hash is `hash`. */
export function ruleOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
  let slot = hash & slotMask;
  let rule = slotRules[slot] as number;
  while (rule !== 0) {
    if (slotHashes[slot] === hash && equalsLower(bytes, start, end, nameBytes[rule] as Buffer)) {
      return rule;
    }
    slot = (slot + 1) & slotMask;
    rule = slotRules[slot] as number;
  }
  return 0;
}

/** The same for pseudo fields, by text; to be asked once. */
export function ruleNamed(name: string): number {
  return nameBytes.findIndex((bytes) => bytes.toString('latin1') === name);
}
