import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32c } from './crc32c.ts';
import { maxLineBytes, writeHeaderV1 } from './header-v1.ts';
import { maxVariableBytes, signatureV2, writeHeaderV2 } from './header-v2.ts';
import { ipBytes, ipv6Text } from './ip-bytes.ts';
import type { ProxiedConnection, ProxyHeaderReading } from './proxy-header.ts';
import { readProxyHeader } from './read-header.ts';

const read = (text: string): ProxyHeaderReading => readProxyHeader(Buffer.from(text, 'latin1'));

function v2(versionAndCommand: number, family: number, variable: Buffer, length = variable.length): Buffer {
  const fixed = Buffer.from([versionAndCommand, family, length >> 8, length & 0xff]);
  return Buffer.concat([signatureV2, fixed, variable]);
}

const tlv = (type: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);

const over4: ProxiedConnection = {
  source: { ip: '192.0.2.1', port: 56324 },
  destination: { ip: '198.51.100.7', port: 443 },
};
const over6: ProxiedConnection = {
  source: { ip: '2001:db8::1', port: 1 },
  destination: { ip: '::1', port: 65535 },
};
const addresses4 = Buffer.from([192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 0x01, 0xbb]);

describe('version 1', () => {
  test('TCP4 and TCP6 give both ends, and what follows stays', () => {
    assert.deepEqual(read('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nGET /'), {
      kind: 'header',
      version: 1,
      length: 45,
      proxied: over4,
    });
    assert.deepEqual(read('PROXY TCP6 2001:0DB8:0:0:0:0:0:1 ::1 1 65535\r\n'), {
      kind: 'header',
      version: 1,
      length: 46,
      proxied: over6,
    });
  });

  test('UNKNOWN keeps the addresses of the connection, whatever follows on the line', () => {
    for (const line of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 x y z\r\n']) {
      assert.deepEqual(read(line), { kind: 'header', version: 1, length: line.length, proxied: undefined });
    }
  });

  test('a line that is not exactly as specified is refused', () => {
    for (const line of [
      'PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n',
      'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 \r\n',
      'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 9\r\n',
      'PROXY  TCP4 192.0.2.1 198.51.100.7 56324 443\r\n',
      'PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n',
      'PROXY tcp4 192.0.2.1 198.51.100.7 56324 443\r\n',
      'PROXY UDP4 192.0.2.1 198.51.100.7 56324 443\r\n',
      'PROXY TCP4 192.0.2.01 198.51.100.7 56324 443\r\n',
      'PROXY TCP4 192.0.2.256 198.51.100.7 56324 443\r\n',
      'PROXY TCP4 192.0.2 198.51.100.7 56324 443\r\n',
      'PROXY TCP4 ::1 ::1 56324 443\r\n',
      'PROXY TCP6 192.0.2.1 198.51.100.7 56324 443\r\n',
      'PROXY TCP6 fe80::1%eth0 ::1 56324 443\r\n',
      'PROXY TCP6 :::1 ::1 56324 443\r\n',
      'PROXY TCP4 192.0.2.1 198.51.100.7 056324 443\r\n',
      'PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n',
      'PROXY TCP4 192.0.2.1 198.51.100.7 -1 443\r\n',
      'PROXY TCP4 192.0.2.1 198.51.100.7 +1 443\r\n',
      'PROXY TCP4 192.0.2.1 198.51.100.7 1e3 443\r\n',
      'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n',
      'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\rGET',
      'PROXY \r\n',
      'PROXY UNKNOWN \t\r\n',
      'PROXY UNKNOWN \xff\r\n',
      'PROXY UNKNOWNS\r\n',
    ]) {
      assert.deepEqual(read(line), { kind: 'invalid', fault: 'proxy_protocol_invalid_line' }, JSON.stringify(line));
    }
  });

  test('the line has 107 bytes at most', () => {
    const longest = `PROXY UNKNOWN ${'x'.repeat(maxLineBytes - 16)}\r\n`;
    assert.equal(longest.length, 107);
    assert.equal(read(longest).kind, 'header');
    const tooLong = `PROXY UNKNOWN ${'x'.repeat(maxLineBytes - 15)}\r\n`;
    assert.deepEqual(read(tooLong), { kind: 'invalid', fault: 'proxy_protocol_line_too_long' });
    assert.deepEqual(read(tooLong.slice(0, maxLineBytes)), { kind: 'invalid', fault: 'proxy_protocol_line_too_long' });
    assert.equal(read(tooLong.slice(0, maxLineBytes - 1)).kind, 'need-more');
  });
});

describe('version 2', () => {
  test('TCP over IPv4 and IPv6', () => {
    assert.deepEqual(readProxyHeader(v2(0x21, 0x11, addresses4)), {
      kind: 'header',
      version: 2,
      length: 28,
      proxied: over4,
    });
    const six = Buffer.concat([
      ipBytes('2001:db8::1') ?? Buffer.alloc(0),
      ipBytes('::1') ?? Buffer.alloc(0),
      Buffer.from([0, 1, 255, 255]),
    ]);
    assert.deepEqual(readProxyHeader(Buffer.concat([v2(0x21, 0x21, six), Buffer.from('more')])), {
      kind: 'header',
      version: 2,
      length: 52,
      proxied: over6,
    });
  });

  test('LOCAL and an unspecified family keep the addresses of the connection', () => {
    const local = { kind: 'header', version: 2, length: 16, proxied: undefined };
    assert.deepEqual(readProxyHeader(v2(0x20, 0x00, Buffer.alloc(0))), local);
    assert.deepEqual(readProxyHeader(v2(0x20, 0xff, Buffer.alloc(9, 0xee))), { ...local, length: 25 });
    assert.deepEqual(readProxyHeader(v2(0x21, 0x00, tlv(0x01, Buffer.from('h2')))), { ...local, length: 21 });
  });

  test('other versions, commands and families are refused', () => {
    const fault = (bytes: Buffer): string => {
      const reading = readProxyHeader(bytes);
      return reading.kind === 'invalid' ? reading.fault : reading.kind;
    };
    assert.equal(fault(v2(0x11, 0x11, addresses4)), 'proxy_protocol_version');
    assert.equal(fault(v2(0x22, 0x11, addresses4)), 'proxy_protocol_command');
    for (const family of [0x01, 0x10, 0x12, 0x22, 0x31, 0x32, 0x41, 0x13]) {
      assert.equal(fault(v2(0x21, family, Buffer.alloc(216))), 'proxy_protocol_family');
    }
    assert.equal(fault(v2(0x21, 0x11, addresses4.subarray(0, 11))), 'proxy_protocol_length');
    assert.equal(fault(v2(0x21, 0x21, Buffer.alloc(35))), 'proxy_protocol_length');
  });

  test('TLVs are bounded and must fill their place', () => {
    const withTlvs = (...tlvs: readonly Buffer[]): ProxyHeaderReading =>
      readProxyHeader(v2(0x21, 0x11, Buffer.concat([addresses4, ...tlvs])));
    assert.equal(withTlvs(tlv(0xea, Buffer.from('\x01vpce-1')), tlv(0x04, Buffer.alloc(0))).kind, 'header');
    assert.equal(withTlvs(tlv(0x05, Buffer.alloc(128))).kind, 'header');
    const refused = { kind: 'invalid', fault: 'proxy_protocol_invalid_tlv' };
    assert.deepEqual(withTlvs(tlv(0x05, Buffer.alloc(129))), refused);
    assert.deepEqual(withTlvs(Buffer.from([0x01])), refused);
    assert.deepEqual(withTlvs(Buffer.from([0x01, 0x00])), refused);
    assert.deepEqual(withTlvs(Buffer.from([0x01, 0x00, 0x05, 0x61])), refused);
    assert.deepEqual(withTlvs(tlv(0x03, Buffer.alloc(3))), refused);
    assert.equal(withTlvs(tlv(0xe0, Buffer.alloc(maxVariableBytes - 12 - 3))).kind, 'header');
    assert.deepEqual(withTlvs(tlv(0xe0, Buffer.alloc(maxVariableBytes - 12 - 2))), {
      kind: 'invalid',
      fault: 'proxy_protocol_length',
    });
    // The length alone decides: nothing is gathered for a header that will be refused.
    const head = v2(0x21, 0x11, Buffer.alloc(0), 65535);
    assert.deepEqual(readProxyHeader(head), { kind: 'invalid', fault: 'proxy_protocol_length' });
  });

  test('a checksum that is there must be right', () => {
    const header = v2(
      0x21,
      0x11,
      Buffer.concat([addresses4, tlv(0x03, Buffer.alloc(4)), tlv(0x01, Buffer.from('h2'))]),
    );
    const sum = crc32c(header);
    header.writeUInt32BE(sum, 28 + 3);
    assert.equal(readProxyHeader(header).kind, 'header');
    header.writeUInt32BE((sum ^ 1) >>> 0, 28 + 3);
    assert.deepEqual(readProxyHeader(header), { kind: 'invalid', fault: 'proxy_protocol_checksum' });
  });
});

test('CRC-32C has the check value of RFC 3720', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
});

test('what begins like neither version is no header', () => {
  for (const text of ['GET / HTTP/1.1\r\n', 'PROXX', 'proxy ', '\r\n\r\nx', '\x16\x03\x01', 'Q']) {
    assert.deepEqual(read(text), { kind: 'absent' });
  }
  assert.deepEqual(read(''), { kind: 'need-more' });
});

test('a header in pieces: need-more until its last byte, then the same as the whole', () => {
  for (const header of [writeHeaderV1(over4), writeHeaderV1(over6), writeHeaderV2(over4), writeHeaderV2(over6)]) {
    const whole = readProxyHeader(header);
    assert.equal(whole.kind === 'header' && whole.length, header.length);
    for (let cut = 0; cut < header.length; cut += 1) {
      assert.deepEqual(readProxyHeader(header.subarray(0, cut)), { kind: 'need-more' });
    }
    assert.deepEqual(readProxyHeader(Buffer.concat([header, header])), whole);
  }
});

test('what is written is read again; one IPv6 end makes both IPv6; unknown ends are UNKNOWN and LOCAL', () => {
  const mixed: ProxiedConnection = { source: over4.source, destination: over6.source };
  const pipe: ProxiedConnection = { source: { ip: '', port: 0 }, destination: over4.destination };
  for (const write of [writeHeaderV1, writeHeaderV2]) {
    for (const proxied of [over4, over6, mixed]) {
      const reading = readProxyHeader(write(proxied));
      assert.deepEqual(reading.kind === 'header' && reading.proxied, proxied);
    }
    for (const unknown of [undefined, pipe]) {
      const reading = readProxyHeader(write(unknown));
      assert.equal(reading.kind === 'header' && reading.proxied, undefined);
    }
  }
  assert.equal(writeHeaderV1(mixed).toString(), 'PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 56324 1\r\n');
  assert.equal(writeHeaderV1(undefined).toString(), 'PROXY UNKNOWN\r\n');
});

test('IPv6 text is that of RFC 5952', () => {
  for (const [text, canonical] of [
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:2:0:3:0:4:0', '1:0:2:0:3:0:4:0'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1::', '1::'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ] as const) {
    assert.equal(ipv6Text(ipBytes(text) ?? Buffer.alloc(0), 0), canonical);
  }
  assert.equal(ipBytes('nothing'), undefined);
});
