import { createSecureContext } from 'node:tls';
import { parseRevocationLists, type RevocationLists } from '@weft/identity';
import type { DataSource } from '../wire/core-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { pemFromXds } from './pem.ts';

/** Lists of revoked certificates that stand in a configuration or in a file. Those that have ended are refused with it: nobody could be verified by them. */
export function givenRevocationListsFromXds(
  source: Decoded<typeof DataSource>,
  problems: Problems,
): RevocationLists | undefined {
  const pem = pemFromXds(source, problems);
  if (pem === '' && source.filename !== undefined) {
    return undefined;
  }
  const lists = revocationListsFromPem(pem, problems);
  if (lists !== undefined && lists.endsMs < Date.now()) {
    problems.add(`a list of revoked certificates has ended on ${new Date(lists.endsMs).toISOString()}`);
  }
  return lists;
}

/** Undefined when refused. */
export function revocationListsFromPem(pem: string, problems: Problems): RevocationLists | undefined {
  try {
    const lists = parseRevocationLists(pem);
    createSecureContext({ crl: [...lists.pems] });
    return lists;
  } catch {
    problems.add('there is no readable list of revoked certificates in it');
    return undefined;
  }
}
