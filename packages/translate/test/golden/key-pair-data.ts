import { join, resolve } from 'node:path';
import { readCase } from './case.ts';

/** The data of a Secret with a certificate and its key, as a golden case has it. */
export function keyPairData(): Readonly<Record<string, string>> {
  const { objects } = readCase(join(resolve(import.meta.dirname, '../../testdata'), 'tls-origination.in.yaml'));
  const secret = objects.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'client');
  return (secret as { readonly data?: Readonly<Record<string, string>> } | undefined)?.data ?? {};
}
