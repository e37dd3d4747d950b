import { prefixV1, readHeaderV1 } from './header-v1.ts';
import { readHeaderV2, signatureV2 } from './header-v2.ts';
import { absent, needMore, type ProxyHeaderReading } from './proxy-header.ts';

/**
 * Looks for a PROXY protocol header of either version at the beginning of a connection, without consuming it. `need-more` is answered
 * at most until 4,112 bytes are there.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeaderReading {
  if (beginsLike(bytes, signatureV2)) {
    return bytes.length < signatureV2.length ? needMore : readHeaderV2(bytes);
  }
  if (beginsLike(bytes, prefixV1)) {
    return bytes.length < prefixV1.length ? needMore : readHeaderV1(bytes);
  }
  return absent;
}

/** Whether the bytes that are there agree with `mark`, of which some may be missing yet. */
function beginsLike(bytes: Buffer, mark: Buffer): boolean {
  const length = Math.min(bytes.length, mark.length);
  return bytes.compare(mark, 0, length, 0, length) === 0;
}
