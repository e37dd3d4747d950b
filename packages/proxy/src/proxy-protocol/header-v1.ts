import { isIPv4 } from 'node:net';
import { ipBytes, ipv4Text, ipv6Text } from './ip-bytes.ts';
import {
  invalid,
  needMore,
  type ProxiedAddress,
  type ProxiedConnection,
  type ProxyHeaderReading,
} from './proxy-header.ts';

export const prefixV1: Buffer = Buffer.from('PROXY ', 'latin1');

/** Longest line with its CRLF (PROXY protocol §2.1). */
export const maxLineBytes = 107;

const CR = 0x0d;
const LF = 0x0a;

/** Reads the line of version 1, of which `bytes` begin with the prefix. */
export function readHeaderV1(bytes: Buffer): ProxyHeaderReading {
  const end = Math.min(bytes.length, maxLineBytes);
  for (let at = prefixV1.length; at < end; at += 1) {
    const byte = bytes[at] as number;
    if (byte === CR) {
      if (at + 1 < end) {
        return bytes[at + 1] === LF ? readLine(bytes.toString('latin1', prefixV1.length, at), at + 2) : invalidLine;
      }
    } else if (byte < 0x20 || byte > 0x7e) {
      return invalidLine;
    }
  }
  return bytes.length >= maxLineBytes ? invalid('proxy_protocol_line_too_long') : needMore;
}

const invalidLine = invalid('proxy_protocol_invalid_line');

/** @param line between the prefix and CRLF; exactly one space between its words, and nothing after the last. */
function readLine(line: string, length: number): ProxyHeaderReading {
  const [family = '', ...words] = line.split(' ');
  if (family === 'UNKNOWN') {
    // What follows is to be ignored (§2.1), whatever it is.
    return { kind: 'header', version: 1, length, proxied: undefined };
  }
  if ((family !== 'TCP4' && family !== 'TCP6') || words.length !== 4) {
    return invalidLine;
  }
  const [sourceIp = '', destinationIp = '', sourcePort = '', destinationPort = ''] = words;
  const source = endOf(family, sourceIp, sourcePort);
  const destination = endOf(family, destinationIp, destinationPort);
  return source === undefined || destination === undefined
    ? invalidLine
    : { kind: 'header', version: 1, length, proxied: { source, destination } };
}

function endOf(family: 'TCP4' | 'TCP6', ip: string, port: string): ProxiedAddress | undefined {
  const bytes = isIPv4(ip) === (family === 'TCP4') ? ipBytes(ip) : undefined;
  // No sign, no leading zero: another reader might take it for octal (§2.1).
  if (bytes === undefined || !/^(?:0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65535) {
    return undefined;
  }
  return { ip: family === 'TCP4' ? ipv4Text(bytes, 0) : ipv6Text(bytes, 0), port: Number(port) };
}

/** The line for a connection; `UNKNOWN` when its addresses are not known, such as those of a Unix socket. */
export function writeHeaderV1(proxied: ProxiedConnection | undefined): Buffer {
  const text = proxied === undefined ? undefined : lineOf(proxied);
  return Buffer.from(`PROXY ${text ?? 'UNKNOWN'}\r\n`, 'latin1');
}

function lineOf({ source, destination }: ProxiedConnection): string | undefined {
  if (ipBytes(source.ip) === undefined || ipBytes(destination.ip) === undefined) {
    return undefined;
  }
  const ports = `${source.port} ${destination.port}`;
  return isIPv4(source.ip) && isIPv4(destination.ip)
    ? `TCP4 ${source.ip} ${destination.ip} ${ports}`
    : `TCP6 ${asIpv6(source.ip)} ${asIpv6(destination.ip)} ${ports}`;
}

/** One family for both ends: an IPv4 address among IPv6 ones is mapped. */
function asIpv6(ip: string): string {
  return isIPv4(ip) ? `::ffff:${ip}` : ip;
}
