import { createHash } from 'node:crypto';
import { MeshError } from '@weft/base';
import { type DerContent, derContent } from './der/reader.ts';
import { pemFromDer } from './pem.ts';

/** Lists of revoked certificates (CRL, RFC 5280 §5), each by one authority. */
export interface RevocationLists {
  /** Each by itself: who takes a text with several often reads the first alone. */
  readonly pems: readonly string[];
  /** When the first of them ends (`nextUpdate`), milliseconds since the epoch; `Infinity` when none does. */
  readonly endsMs: number;
  /** Changes with the content. */
  readonly version: string;
}

const block = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]*)-----END X509 CRL-----/g;

/**
 * Reads PEM text with one or more lists; other blocks are passed over. Whether an authority signed them is not looked at: OpenSSL does
 * that for each certificate.
 * @throws MeshError `CERTIFICATE_INVALID` when there is none, or one is not readable.
 */
export function parseRevocationLists(pem: string): RevocationLists {
  const lists = [...pem.matchAll(block)].map(([, base64 = '']) => Buffer.from(base64, 'base64'));
  if (lists.length === 0) {
    throw new MeshError('CERTIFICATE_INVALID', 'there is no list of revoked certificates (X509 CRL in PEM) in it');
  }
  const ends = lists.map((der) => {
    const end = endOfList(der);
    if (end === undefined) {
      throw new MeshError('CERTIFICATE_INVALID', 'a list of revoked certificates in it is not readable');
    }
    return end;
  });
  const pems = lists.map((der) => pemFromDer('X509 CRL', der));
  return { pems, endsMs: Math.min(...ends), version: createHash('sha256').update(pems.join('')).digest('hex') };
}

const tags = { integer: 0x02, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30 } as const;

/** `nextUpdate` of a CertificateList, `Infinity` when it has none; undefined when this is no such list. */
function endOfList(der: Buffer): number | undefined {
  const outer = derContent(der, 0, der.length);
  if (der[0] !== tags.sequence || outer === undefined || outer.end !== der.length) {
    return undefined;
  }
  const parts = elementsOf(der, outer);
  const [list] = parts ?? [];
  // tbsCertList, signatureAlgorithm, signatureValue
  if (list?.tag !== tags.sequence || parts?.length !== 3) {
    return undefined;
  }
  const fields = elementsOf(der, list);
  if (fields === undefined) {
    return undefined;
  }
  const [signature, issuer, thisUpdate, next] = fields[0]?.tag === tags.integer ? fields.slice(1) : fields;
  if (signature?.tag !== tags.sequence || issuer?.tag !== tags.sequence || thisUpdate === undefined) {
    return undefined;
  }
  if (timeOf(der, thisUpdate) === undefined) {
    return undefined;
  }
  return next === undefined || !isTime(next) ? Number.POSITIVE_INFINITY : timeOf(der, next);
}

interface DerElement extends DerContent {
  readonly tag: number;
}

function elementsOf(der: Buffer, { start, end }: DerContent): readonly DerElement[] | undefined {
  const found: DerElement[] = [];
  for (let at = start; at < end; ) {
    const content = derContent(der, at, end);
    if (content === undefined) {
      return undefined;
    }
    found.push({ tag: der[at] ?? 0, ...content });
    at = content.end;
  }
  return found;
}

function isTime({ tag }: DerElement): boolean {
  return tag === tags.utcTime || tag === tags.generalizedTime;
}

/** RFC 5280 §5.1.2.4: in GMT with seconds, years before 2050 in two digits. */
function timeOf(der: Buffer, element: DerElement): number | undefined {
  const text = der.toString('latin1', element.start, element.end);
  const match = (element.tag === tags.utcTime ? /^(\d\d)(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text);
  if (match === null || !isTime(element)) {
    return undefined;
  }
  const [, written = '', rest = ''] = match;
  const year = written.length === 4 ? written : `${Number(written) >= 50 ? 19 : 20}${written}`;
  const [month, day, hour, minute, second] = rest.match(/\d\d/g) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}
