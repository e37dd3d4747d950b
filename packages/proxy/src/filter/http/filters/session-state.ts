import { BinaryReader, BinaryWriter } from '@weft/xds-types';

/** Longest state that is looked at: an address is at most a path of 108 bytes. */
const MAX_STATE_LENGTH = 512;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** An endpoint's address in a header, as Envoy writes it: base64. */
export function encodeAddress(address: string): string {
  return Buffer.from(address, 'latin1').toString('base64');
}

/** Empty when it is none. */
export function decodeAddress(text: string): string {
  return bytesOf(text)?.toString('latin1') ?? '';
}

/**
 * An endpoint's address in a cookie, as Envoy writes it: the base64 of `message Cookie { string address = 1; uint64 expires = 2; }`.
 * @param expiresSec since the epoch; 0: never.
 */
export function encodeSession(address: string, expiresSec: number): string {
  const writer = new BinaryWriter();
  writer.uint32(10).string(address);
  if (expiresSec > 0) {
    writer.uint32(16).uint64(expiresSec);
  }
  return Buffer.from(writer.finish()).toString('base64');
}

/** Empty when it is none, or expired. The address alone, as older versions of Envoy wrote it, is understood as well. */
export function decodeSession(text: string, nowSec: number): string {
  const bytes = bytesOf(text);
  if (bytes === undefined) {
    return '';
  }
  const session = parse(bytes);
  if (session === undefined) {
    return bytes.toString('latin1');
  }
  return session.expiresSec !== 0 && session.expiresSec < nowSec ? '' : session.address;
}

function bytesOf(text: string): Buffer | undefined {
  return text === '' || text.length > MAX_STATE_LENGTH || !base64.test(text) ? undefined : Buffer.from(text, 'base64');
}

/** undefined: no such message. */
function parse(bytes: Buffer): { readonly address: string; readonly expiresSec: number } | undefined {
  const reader = new BinaryReader(bytes);
  let address = '';
  let expiresSec = 0;
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === 10) {
        address = reader.string();
      } else if (tag === 16) {
        expiresSec = Number(reader.uint64());
      } else if (tag >>> 3 === 0) {
        return undefined;
      } else {
        reader.skip(tag & 7);
      }
    }
  } catch {
    return undefined;
  }
  return { address, expiresSec };
}
