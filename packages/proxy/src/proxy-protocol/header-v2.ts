import { isIPv4 } from 'node:net';
import { crc32c } from './crc32c.ts';
import { ipBytes, ipv4Text, ipv6Text } from './ip-bytes.ts';
import { invalid, needMore, type ProxiedConnection, type ProxyHeaderReading } from './proxy-header.ts';

export const signatureV2: Buffer = Buffer.from([
  0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
]);

/** Signature, version and command, family, length (PROXY protocol §2.2). */
const fixedBytes = 16;

/** Longest that follows the fixed part, addresses and TLVs; the field would allow 65,535 bytes. */
export const maxVariableBytes = 4096;

const tlvHeadBytes = 3;
const TLV_CRC32C = 0x03;
const TLV_UNIQUE_ID = 0x05;
const maxUniqueIdBytes = 128;

/** Reads the header of version 2, of which `bytes` begin with the signature. */
export function readHeaderV2(bytes: Buffer): ProxyHeaderReading {
  // Each part is judged as soon as it is there: a sender that will be refused anyway is not waited for.
  const versionAndCommand = bytes[12];
  if (versionAndCommand === undefined) {
    return needMore;
  }
  if (versionAndCommand >> 4 !== 2) {
    return invalid('proxy_protocol_version');
  }
  const command = versionAndCommand & 0x0f;
  if (command > 1) {
    return invalid('proxy_protocol_command');
  }
  const family = bytes[13];
  if (family === undefined) {
    return needMore;
  }
  const local = command === 0;
  const addressBytes = local ? 0 : addressBytesOf(family);
  if (addressBytes === undefined) {
    return invalid('proxy_protocol_family');
  }
  if (bytes.length < fixedBytes) {
    return needMore;
  }
  const variable = bytes.readUInt16BE(14);
  if (variable > maxVariableBytes || variable < addressBytes) {
    return invalid('proxy_protocol_length');
  }
  const length = fixedBytes + variable;
  if (bytes.length < length) {
    return needMore;
  }
  if (local) {
    // The block is to be skipped, its family included (§2.2).
    return { kind: 'header', version: 2, length, proxied: undefined };
  }
  const fault = checkTlvs(bytes.subarray(0, length), fixedBytes + addressBytes);
  return fault ?? { kind: 'header', version: 2, length, proxied: proxiedOf(bytes, family) };
}

/** Bytes of both addresses and ports; undefined for what is not TCP. 0: unspecified, so the connection speaks for itself. */
function addressBytesOf(family: number): number | undefined {
  switch (family) {
    case 0x00:
      return 0;
    case 0x11:
      return 12;
    case 0x21:
      return 36;
    default:
      return undefined;
  }
}

function proxiedOf(bytes: Buffer, family: number): ProxiedConnection | undefined {
  switch (family) {
    case 0x11:
      return {
        source: { ip: ipv4Text(bytes, 16), port: bytes.readUInt16BE(24) },
        destination: { ip: ipv4Text(bytes, 20), port: bytes.readUInt16BE(26) },
      };
    case 0x21:
      return {
        source: { ip: ipv6Text(bytes, 16), port: bytes.readUInt16BE(48) },
        destination: { ip: ipv6Text(bytes, 32), port: bytes.readUInt16BE(50) },
      };
    default:
      return undefined;
  }
}

/** Every TLV must end where the header says; a checksum that is there must be right. What they say is not used. */
function checkTlvs(header: Buffer, from: number): ProxyHeaderReading | undefined {
  let at = from;
  while (at < header.length) {
    if (at + tlvHeadBytes > header.length) {
      return invalid('proxy_protocol_invalid_tlv');
    }
    const type = header[at];
    const length = header.readUInt16BE(at + 1);
    const value = at + tlvHeadBytes;
    at = value + length;
    if (at > header.length || (type === TLV_UNIQUE_ID && length > maxUniqueIdBytes)) {
      return invalid('proxy_protocol_invalid_tlv');
    }
    if (type === TLV_CRC32C) {
      if (length !== 4) {
        return invalid('proxy_protocol_invalid_tlv');
      }
      // The sum is over the whole header with zeros in its own place (§2.2.4).
      const zeroed = Buffer.from(header);
      zeroed.fill(0, value, at);
      if (crc32c(zeroed) !== header.readUInt32BE(value)) {
        return invalid('proxy_protocol_checksum');
      }
    }
  }
  return undefined;
}

/** The header for a connection; `LOCAL` when its addresses are not known, such as those of a Unix socket. */
export function writeHeaderV2(proxied: ProxiedConnection | undefined): Buffer {
  const source = proxied === undefined ? undefined : ipBytes(proxied.source.ip);
  const destination = proxied === undefined ? undefined : ipBytes(proxied.destination.ip);
  if (proxied === undefined || source === undefined || destination === undefined) {
    return Buffer.concat([signatureV2, Buffer.from([0x20, 0x00, 0x00, 0x00])]);
  }
  const both4 = isIPv4(proxied.source.ip) && isIPv4(proxied.destination.ip);
  const addresses = both4 ? [source, destination] : [mapped(source), mapped(destination)];
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(proxied.source.port, 0);
  ports.writeUInt16BE(proxied.destination.port, 2);
  const fixed = Buffer.from([0x21, both4 ? 0x11 : 0x21, 0x00, both4 ? 12 : 36]);
  return Buffer.concat([signatureV2, fixed, ...addresses, ports]);
}

/** One family for both ends: an IPv4 address among IPv6 ones is `::ffff:…`. */
function mapped(address: Buffer): Buffer {
  return address.length === 16 ? address : Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff]), address]);
}
