import { MeshError } from '@weft/base';

/** Most PEM text that is read at once. */
export const maxPemBytes = 256 * 1024;

const block = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]*-----END \1-----/g;

/** DER as one PEM block. */
export function pemFromDer(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/**
 * The PEM blocks with `label`, in order, each ending in a newline; other blocks and text between them are passed over.
 * @throws MeshError `TOO_LARGE` above {@link maxPemBytes}.
 */
export function splitPem(text: string, label: string): string[] {
  if (text.length > maxPemBytes) {
    throw new MeshError('TOO_LARGE', `PEM text of ${text.length} bytes is above the limit of ${maxPemBytes}`);
  }
  return [...text.matchAll(block)].filter((match) => match[1] === label).map((match) => `${match[0]}\n`);
}
