import { generateKeyPair, sign } from 'node:crypto';
import { promisify } from 'node:util';
import {
  bitString,
  booleanTrue,
  contextConstructed,
  contextPrimitive,
  objectIdentifier,
  octetString,
  sequence,
  set,
  smallInteger,
} from './der/writer.ts';
import { pemFromDer } from './pem.ts';
import { PrivateKey } from './redacted.ts';
import type { SpiffeId } from './spiffe-id.ts';

const generate = promisify(generateKeyPair);

const oid = {
  extensionRequest: '1.2.840.113549.1.9.14',
  subjectAltName: '2.5.29.17',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

/** A new P-256 key. It stays in the process that made it. */
export async function generatePrivateKey(): Promise<PrivateKey> {
  const { privateKey } = await generate('ec', { namedCurve: 'P-256' });
  return new PrivateKey(privateKey);
}

/**
 * A PKCS#10 request (RFC 2986) in PEM: empty subject, one extension: a critical subject alternative name with `id` as its
 * only entry (X509-SVID §2: exactly one URI), signed with ECDSA and SHA-256.
 * @param key a P-256 key, see {@link generatePrivateKey}.
 */
export function createCsr(key: PrivateKey, id: SpiffeId): string {
  const uniformResourceIdentifier = 6;
  const names = sequence(contextPrimitive(uniformResourceIdentifier, Buffer.from(id, 'ascii')));
  const extensions = sequence(sequence(objectIdentifier(oid.subjectAltName), booleanTrue(), octetString(names)));
  const attributes = contextConstructed(0, sequence(objectIdentifier(oid.extensionRequest), set(extensions)));
  const publicKey = key.publicKey.export({ type: 'spki', format: 'der' });
  const info = sequence(smallInteger(0), sequence(), publicKey, attributes);
  const signature = sign('sha256', info, { key: key.reveal(), dsaEncoding: 'der' });
  const request = sequence(info, sequence(objectIdentifier(oid.ecdsaWithSha256)), bitString(signature));
  return pemFromDer('CERTIFICATE REQUEST', request);
}
