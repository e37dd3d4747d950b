import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '@weft/base';
import type { HeaderView } from '@weft/http-codec';
import { eventually, ManualClock } from '@weft/testkit';
import { AccessLogFile, FLUSH_SIZE, MAX_WAITING } from '../src/access-log/access-log-file.ts';
import { AccessLogs } from '../src/access-log/access-logs.ts';
import {
  compileFormat,
  compileHeaderValue,
  DEFAULT_FORMAT,
  type Format,
  headerFormatProblem,
  MAX_FORMAT_LENGTH,
} from '../src/access-log/format.ts';
import { ResponseFlag } from '../src/response-flag.ts';
import type { AccessLogConfig } from '../src/runtime-config/config.ts';
import { noConnection, StreamInfo } from '../src/stream-info.ts';

function headers(fields: Readonly<Record<string, string>>): HeaderView {
  return {
    get: (name) => fields[name],
    forEach: (visit) => {
      for (const [name, value] of Object.entries(fields)) {
        visit(name, value);
      }
    },
  };
}

function stream(fields: Partial<StreamInfo> = {}): StreamInfo {
  return Object.assign(new StreamInfo(), {
    startTimeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 67),
    startMs: 1000,
    endMs: 1012.4,
    method: 'GET',
    path: '/a?b=c',
    authority: 'reviews',
    responseCode: 503,
    responseFlags: ResponseFlag.UF + ResponseFlag.URX,
    responseCodeDetails: 'upstream reset',
    bytesReceived: 3,
    bytesSent: 5,
    downstream: { ...noConnection, remoteAddress: '10.0.0.1:5000', remoteIp: '10.0.0.1', localAddress: '[::1]:80' },
    ...fields,
  });
}

function format(text: string): Format {
  const compiled = compileFormat(text);
  assert.ok(typeof compiled !== 'string', String(compiled));
  return compiled;
}

test('the default format is that of Envoy', () => {
  assert.equal(
    format(DEFAULT_FORMAT).http(stream({ requestHeaders: headers({ 'user-agent': 'curl' }) })),
    '[2026-01-02T03:04:05.067Z] "GET /a?b=c HTTP/1.1" 503 UF,URX 3 5 12 - "-" "curl" "-" "reviews" "-"\n',
  );
});

test('commands take alternatives, lengths and time formats', () => {
  const info = stream({
    requestHeaders: headers({ second: 'two' }),
    responseHeaders: headers({ long: 'abcdefgh', 'grpc-status': '14' }),
  });
  assert.equal(format('%REQ(FIRST?SECOND)% %RESP(LONG):3%').http(info), 'two abc');
  assert.equal(format('%START_TIME(%Y/%m/%d %H:%M:%S.%3f %s)%').http(info), '2026/01/02 03:04:05.067 1767323045');
  assert.equal(format('%GRPC_STATUS% %GRPC_STATUS(NUMBER)% 100%%').http(info), 'Unavailable 14 100%');
  assert.equal(
    format('%RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS_LONG%').http(info),
    'upstream_reset UpstreamConnectionFailure,UpstreamRetryLimitExceeded',
  );
  assert.equal(
    format('%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_ADDRESS%').http(info),
    '10.0.0.1 [::1]:80',
  );
  assert.equal(format('%DOWNSTREAM_REMOTE_ADDRESS%').http(stream({ downstreamRemoteIp: '8.8.8.8' })), '8.8.8.8:0');
});

test('what a peer sends cannot end a line or a field', () => {
  const info = stream({
    path: '/"\n[forged] "GET',
    requestHeaders: headers({ 'user-agent': 'a\r\nb"c\\d\u0085\u2028' }),
  });
  const line = format('"%REQ(:PATH)%" "%REQ(USER-AGENT)%"\n').http(info);
  assert.equal(line, '"/\\"\\x0a[forged] \\"GET" "a\\x0d\\x0ab\\"c\\\\d\\x85\\u2028"\n');
  assert.equal(line.split('\n').length, 2);
});

test('a format that cannot be used is refused with the reason', () => {
  for (const [text, reason] of [
    ['%NOPE%', /%NOPE%: not supported/],
    ['%DYNAMIC_METADATA(a:b)%', /not supported/],
    ['100%', /no command at "%"/],
    ['%REQ()%', /needs one header name/],
    ['%REQ(a?b?c)%', /needs one header name/],
    ['%DURATION(x)%', /takes no argument/],
    ['%START_TIME(%Q)%', /"%Q", which is not supported/],
    ['%constructor%', /no command/],
    ['x'.repeat(MAX_FORMAT_LENGTH + 1), /longer than/],
  ] as const) {
    const result = compileFormat(text);
    assert.ok(typeof result === 'string', text);
    assert.match(result, reason);
  }
});

test('the value of an added header is a constant or a function of the request, without line breaks', () => {
  assert.equal(compileHeaderValue('plain %% text'), 'plain % text');
  const value = compileHeaderValue('v=%REQ(x)%;%RESPONSE_CODE%');
  assert.ok(typeof value === 'function');
  assert.equal(value(stream({ requestHeaders: headers({ x: 'a\r\nb: c' }) })), 'v=ab: c;503');
  assert.equal(value(stream()), 'v=;503');
  assert.match(headerFormatProblem('%') ?? '', /no command/);
});

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'weft-access-log-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('JSON has numbers as numbers and null for what is absent', async (t) => {
  const path = join(await folder(t), 'log');
  const logs = new AccessLogs(new ManualClock(), silentLogger);
  const config: AccessLogConfig = {
    path,
    format: {
      kind: 'json',
      fields: { code: '%RESPONSE_CODE%', 'pa"th': '%REQ(:PATH)%', none: '%UPSTREAM_HOST%', mixed: 'x %DURATION%' },
    },
  };
  logs.logStream([config], stream({ path: '/"\n' }));
  logs.close();
  const text = await readFile(path, 'utf8');
  assert.equal(text.split('\n').length, 2);
  assert.deepEqual(JSON.parse(text), { code: 503, 'pa"th': '/"\n', none: null, mixed: 'x 12' });
});

test('lines are written after a second, or when there are many; a closed log has them all', async (t) => {
  const path = join(await folder(t), 'log');
  const clock = new ManualClock();
  const file = new AccessLogFile(path, clock, silentLogger);
  file.append('one\n');
  assert.equal(await readFile(path, 'utf8'), '');
  clock.advance(1000);
  await eventually(async () => (await readFile(path, 'utf8')) === 'one\n', { what: 'the first line' });
  file.append(`${'x'.repeat(FLUSH_SIZE)}\n`);
  await eventually(async () => (await readFile(path, 'utf8')).length > FLUSH_SIZE, { what: 'the long line' });
  file.append('last\n');
  file.close();
  await eventually(async () => (await readFile(path, 'utf8')).endsWith('last\n'), { what: 'the last line' });
});

test('after a rotation lines go to the new file', async (t) => {
  const path = join(await folder(t), 'log');
  const file = new AccessLogFile(path, new ManualClock(), silentLogger);
  file.append('old\n');
  await rename(path, `${path}.1`);
  file.reopen();
  file.append('new\n');
  file.close();
  assert.equal(await readFile(`${path}.1`, 'utf8'), 'old\n');
  assert.equal(await readFile(path, 'utf8'), 'new\n');
});

test('lines to standard error wait for a slow reader, also where Node has made the pipe one that does not block', async (t) => {
  const count = 4_000;
  const program = `
    import { silentLogger, systemClock } from '@weft/base';
    import { AccessLogFile } from './src/access-log/access-log-file.ts';
    process.stderr.write('begin\\n');
    const file = new AccessLogFile('/dev/stderr', systemClock, silentLogger);
    for (let line = 0; line < ${count}; line += 1) {
      file.append('x'.repeat(200) + '\\n');
    }
    setTimeout(() => process.stdout.write('full'), 100);
    process.stdin.resume().on('end', () => process.exit(0));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: join(import.meta.dirname, '..'),
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  let text = '';
  child.stderr.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
  });
  await eventually(() => text.split('\n').length === 1 + count + 1, { what: 'all lines' });
  child.stdin.end();
});

test('when the disk does not keep up lines are dropped and counted; a file that cannot be opened drops all', async (t) => {
  const file = new AccessLogFile(join(await folder(t), 'log'), new ManualClock(), silentLogger);
  const line = `${'x'.repeat(1024 * 1024)}\n`;
  for (let count = 0; count < 2 * (MAX_WAITING / line.length) + 4; count += 1) {
    file.append(line);
  }
  assert.ok(file.dropped > 0, String(file.dropped));
  file.close();
  const nowhere = new AccessLogFile('/nonexistent/folder/log', new ManualClock(), silentLogger);
  nowhere.append('x\n');
  assert.equal(nowhere.dropped, 1);
  nowhere.close();
});
