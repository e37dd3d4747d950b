import { createPrivateKey, X509Certificate } from 'node:crypto';
import { keyOf, type Secret } from '../kinds.ts';

/** Name of a Secret on the wire (SDS). */
export function secretName(namespace: string, name: string): string {
  return `kubernetes://${namespace}/${name}`;
}

const checked = new WeakMap<Secret, string | undefined>();

/** Why a Secret cannot be shown to clients; undefined: it can. */
export function certificateProblem(secret: Secret): string | undefined {
  if (!checked.has(secret)) {
    checked.set(secret, findProblem(secret));
  }
  return checked.get(secret);
}

function findProblem(secret: Secret): string | undefined {
  const name = `Secret ${keyOf(secret)}`;
  const certificate = decoded(secret, 'tls.crt') ?? decoded(secret, 'cert');
  const key = decoded(secret, 'tls.key') ?? decoded(secret, 'key');
  if (certificate === undefined || key === undefined) {
    return `${name} lacks ${certificate === undefined ? 'tls.crt' : 'tls.key'}`;
  }
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(certificate);
  } catch {
    return `tls.crt of ${name} is not a certificate in PEM`;
  }
  // One that expires while it serves goes on, so that clients see why.
  if (parsed.validToDate.getTime() < writtenMs(secret)) {
    return `the certificate of ${name} had expired when it was written: on ${parsed.validToDate.toISOString()}`;
  }
  try {
    return parsed.checkPrivateKey(createPrivateKey(key))
      ? undefined
      : `tls.key of ${name} is not the key of its certificate`;
  } catch {
    return `tls.key of ${name} is not a private key in PEM`;
  }
}

/** When a Secret was created or changed last, milliseconds since the epoch; 0 when nothing says so. */
export function writtenMs({ metadata }: Secret): number {
  const times = [metadata.creationTimestamp, ...(metadata.managedFields ?? []).map(({ time }) => time)];
  return Math.max(0, ...times.flatMap((time) => (time === undefined ? [] : Date.parse(time) || 0)));
}

function decoded(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}
