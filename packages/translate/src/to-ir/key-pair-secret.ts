import { keyPairProblem, readKeyPair } from '@weft/resources';
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
  // One that expires while it serves goes on, so that clients see why.
  const problem = keyPairProblem(
    readKeyPair((key) => decoded(secret, key)),
    writtenMs(secret),
  );
  switch (problem?.kind) {
    case undefined:
      return undefined;
    case 'missing':
      return `${name} lacks ${problem.key}`;
    case 'expired':
      return `the certificate of ${name} had expired when it was written: on ${problem.at.toISOString()}`;
    case 'of-another-certificate':
      return `${problem.key} of ${name} is not the key of its certificate`;
    case 'unreadable': {
      const what = problem.key === 'tls.key' || problem.key === 'key' ? 'private key' : 'certificate';
      return `${problem.key} of ${name} is not a ${what} in PEM`;
    }
  }
}

/** When a Secret was created or changed last, milliseconds since the epoch; 0 when nothing says so. */
export function writtenMs({ metadata }: Secret): number {
  const times = [metadata.creationTimestamp, ...(metadata.managedFields ?? []).map(({ time }) => time)];
  return Math.max(0, ...times.flatMap((time) => (time === undefined ? [] : Date.parse(time) || 0)));
}

/** Whether a key of a Secret holds a certificate; roots of nothing would be taken for none, so that nothing is verified. */
export function holdsCertificate(secret: Secret | undefined, key: string): boolean {
  return secret !== undefined && decoded(secret, key)?.includes('-----BEGIN CERTIFICATE-----') === true;
}

function decoded(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}
