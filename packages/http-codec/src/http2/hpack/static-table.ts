import { hashName, type KnownHeaderId, knownHeaderOf } from '../../known-header.ts';
import type { RawBuffer } from '../../output-buffer.ts';
import { type FieldKindId, kindOfName } from './field-kind.ts';

/** RFC 7541 appendix A: entry 1 first; a value follows after `=`. */
const entries =
  ':authority :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https :status=200 :status=204 ' +
  ':status=206 :status=304 :status=400 :status=404 :status=500 accept-charset accept-encoding=gzip,_deflate ' +
  'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control ' +
  'content-disposition content-encoding content-language content-length content-location content-range content-type ' +
  'cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since ' +
  'last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after ' +
  'server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate';

/** The entries as text; index 0 is unused, as in RFC 7541 §6.1. */
export const staticNames: readonly string[] = ['', ...entries.split(' ').map((entry) => entry.split('=')[0] as string)];
export const staticValues: readonly string[] = [
  '',
  ...entries.split(' ').map((entry) => (entry.split('=')[1] ?? '').replace('_', ' ')),
];

/** How many entries there are; dynamic ones begin behind them. */
export const staticCount: number = staticNames.length - 1;

/** All entries as lines `name: value\r\n`, one behind the other. */
export const staticLines: RawBuffer = Buffer.from(
  staticNames.map((name, index) => (index === 0 ? '' : `${name}: ${staticValues[index]}\r\n`)).join(''),
  'latin1',
) as RawBuffer;

/** Where the line of an entry begins in `staticLines`. */
export const staticStarts: Int32Array = new Int32Array(staticCount + 1);
export const staticNameLengths: Int32Array = Int32Array.from(staticNames, (name) => name.length);
export const staticValueLengths: Int32Array = Int32Array.from(staticValues, (value) => value.length);
/** Hash of the name, as `HeadFields` keeps it. */
export const staticHashes: Int32Array = Int32Array.from(staticNames, hashName);
export const staticIds: Uint8Array = new Uint8Array(staticCount + 1);
/** Kind of the field as a whole and of its name: no value of this table is malformed where its name is not. */
export const staticKinds: Uint8Array = new Uint8Array(staticCount + 1);

for (let index = 1, at = 0; index <= staticCount; index += 1) {
  const nameEnd = at + (staticNameLengths[index] as number);
  const id: KnownHeaderId = knownHeaderOf(staticLines, at, nameEnd, staticHashes[index] as number);
  const kind: FieldKindId = kindOfName(staticLines, at, nameEnd, id);
  staticStarts[index] = at;
  staticIds[index] = id;
  staticKinds[index] = kind;
  at = nameEnd + (staticValueLengths[index] as number) + 4;
}
