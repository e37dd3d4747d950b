import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPath, parsePath } from '../field-path.ts';
import { didYouMean } from '../schema/did-you-mean.ts';
import { isCidr, isIpAddress } from './address.ts';
import { parseDurationMs } from './duration.ts';
import { coversHost, isHostName, isHostPattern } from './hosts.ts';
import { isLabelValue, isQualifiedName } from './labels.ts';
import { isSubdomain } from './names.ts';
import { isLinearRegex, regexLengthMax, regexProblem } from './regex.ts';

test('durations are read as Go reads them', () => {
  const cases: Readonly<Record<string, number | undefined>> = {
    '5s': 5000,
    '1h30m': 5_400_000,
    '1.5s': 1500,
    '.5s': 500,
    '250ms': 250,
    '1us': 0.001,
    '0': 0,
    '-1s': -1000,
    '5': undefined,
    s: undefined,
    '': undefined,
    '1d': undefined,
    '1s ': undefined,
    '9999999h': undefined,
  };
  for (const [text, ms] of Object.entries(cases)) {
    assert.equal(parseDurationMs(text), ms, text);
  }
});

test('hosts and patterns', () => {
  for (const host of ['a', 'a.b.com', 'a-b.c', 'A.com', '_a.b', 'a.com.']) {
    assert.ok(isHostName(host), host);
  }
  for (const host of ['', '.', 'a..b', '-a', 'a-', 'a b', '*.a', 'a.1', '1.2.3.4', `${'a'.repeat(64)}.com`]) {
    assert.ok(!isHostName(host), host);
  }
  for (const host of ['*', '*.a.com', '*-x.a.com', 'a']) {
    assert.ok(isHostPattern(host), host);
  }
  for (const host of ['*a.com', 'a.*.com', '*.', '**.a']) {
    assert.ok(!isHostPattern(host), host);
  }
  assert.ok(coversHost('*.a.com', 'b.A.com'));
  assert.ok(coversHost('*.a.com', '*.b.a.com'));
  assert.ok(!coversHost('*.a.com', 'a.com'));
  assert.ok(!coversHost('b.a.com', '*.a.com'));
});

test('addresses and blocks', () => {
  assert.ok(isIpAddress('::1') && isIpAddress('1.2.3.4') && !isIpAddress('fe80::1%eth0') && !isIpAddress('1.2.3'));
  assert.ok(isCidr('10.0.0.0/8') && isCidr('::/0') && !isCidr('10.0.0.0/33') && !isCidr('10.0.0.0') && !isCidr('a/8'));
});

test('labels and names', () => {
  assert.ok(isQualifiedName('app.kubernetes.io/name') && isQualifiedName('a') && !isQualifiedName('/a'));
  assert.ok(!isQualifiedName('a/b/c') && !isQualifiedName('') && !isQualifiedName(`${'a'.repeat(64)}`));
  assert.ok(isLabelValue('') && isLabelValue('A_1.x') && !isLabelValue('-a') && !isLabelValue('a'.repeat(64)));
  assert.ok(isSubdomain('a.b-1') && !isSubdomain('A') && !isSubdomain('a.') && !isSubdomain('a'.repeat(254)));
});

test('only regular expressions of RE2, of limited length and size, are linear', () => {
  for (const pattern of ['', 'a+', '^/api/v[0-9]+/.*$', '(?i)a', '(?P<x>a)', '\\p{L}']) {
    assert.equal(regexProblem(pattern), undefined, pattern);
  }
  for (const pattern of [
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(a)\\1',
    '(?>a)',
    'a++',
    '[',
    '(',
    'a{1001}',
    'x'.repeat(regexLengthMax + 1),
  ]) {
    assert.ok(!isLinearRegex(pattern), pattern);
  }
  assert.match(regexProblem('.{1000}.{1000}') ?? '', /compiles to 2002 instructions/);
});

test('paths are written and read back', () => {
  const segments = ['metadata', 'labels', 'app.kubernetes.io/name'];
  assert.equal(formatPath(segments), 'metadata.labels[app.kubernetes.io/name]');
  assert.deepEqual(parsePath(formatPath(segments)), segments);
  assert.equal(formatPath(['spec', 'http', 0, 'route', 12]), 'spec.http[0].route[12]');
  assert.deepEqual(parsePath('spec.http[0].route[12]'), ['spec', 'http', '0', 'route', '12']);
  for (const odd of ['a]b', '', '"', 'a.b', '0', '[0]']) {
    assert.deepEqual(parsePath(formatPath(['x', odd, 'y'])), ['x', odd, 'y']);
  }
});

test('the nearest word is found, but nothing far away', () => {
  const words = ['trafficPolicy', 'subsets', 'host', 'exportTo'];
  assert.equal(didYouMean('traficPolicy', words), 'trafficPolicy');
  assert.equal(didYouMean('export_to', words), 'exportTo');
  assert.equal(didYouMean('hsot', words), 'host');
  assert.equal(didYouMean('retries', words), undefined);
  assert.equal(didYouMean('h'.repeat(1000), words), undefined);
});
