import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const main = join(import.meta.dirname, 'main.ts');
let home = '';

before(() => {
  home = mkdtempSync(join(tmpdir(), 'weft-cli-'));
});

after(() => rmSync(home, { recursive: true, force: true }));

function weft(args: readonly string[], input = '') {
  const { KUBECONFIG: _, ...env } = process.env;
  const result = spawnSync(process.execPath, [main, ...args], {
    cwd: home,
    input,
    encoding: 'utf8',
    env: { ...env, WEFT_HOME: join(home, 'state') },
  });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

test('help names every command and the exit codes, and every command has help', () => {
  const help = weft(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /Exit codes:/);
  const commands = [...help.out.matchAll(/^ {2}([a-z]+) .{10,}/gm)].map((match) => match[1] ?? '');
  for (const command of [
    'up',
    'down',
    'demo',
    'run',
    'apply',
    'get',
    'delete',
    'diff',
    'explain',
    'validate',
    'status',
    'config',
    'check',
    'version',
    'completion',
  ]) {
    assert.ok(commands.includes(command), command);
  }
  assert.match(weft(['config', 'dump', '--help']).out, /--type <type>/);
});

test('mistakes of the command line end with 2 and say what to do', () => {
  for (const [args, message] of [
    [['nothing'], /unknown command 'nothing'/],
    [['get'], /missing required argument/],
    [['apply'], /no file was named/],
    [['validate', 'none.yaml'], /no file or folder none\.yaml/],
    [['validate'], /no file was named/],
    [['status', '-o', 'xml'], /unknown output format "xml"/],
    [['up', '--api-port', 'x'], /whole number/],
    [['explain'], /no name was given/],
    [['explain', 'request', 'GET', 'http://a/'], /--from/],
    [['completion', 'tcsh'], /no completion for "tcsh"/],
    [['demo', '--envoy', 'nobody'], /no service "nobody"/],
  ] as const) {
    const result = weft(args);
    assert.equal(result.code, 2, `${args.join(' ')}: ${result.err}`);
    assert.match(result.err, message);
    assert.equal(result.out, '');
  }
});

test('without a mesh commands end with 3 and say how to start one', () => {
  for (const args of [['status'], ['get', 'vs'], ['run', '--service', 'a', '--', 'true']]) {
    const result = weft(args);
    assert.equal(result.code, 3, args.join(' '));
    assert.match(result.err, /weft up/);
  }
  assert.equal(weft(['down']).code, 0);
  assert.match(weft(['version']).out, /none is running/);
});

test('validate works without a mesh: 0 for what is right, 2 with line and column for what is not', () => {
  writeFileSync(join(home, 'good.yaml'), 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n');
  assert.equal(weft(['validate', 'good.yaml']).code, 0);
  assert.equal(weft(['validate', '-f', 'good.yaml']).code, 0);
  const bad = weft(
    ['validate', '-', '-o', 'json'],
    'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {prots: []}\n',
  );
  assert.equal(bad.code, 2);
  const result = JSON.parse(bad.out) as {
    valid: boolean;
    violations: { line: number; column: number; code: string }[];
  };
  assert.equal(result.valid, false);
  const unknown = result.violations.find((violation) => violation.code === 'UnknownField');
  assert.deepEqual([unknown?.line, unknown?.column], [4, 8]);
});

test('validate warns of what does not go together over all files; --strict makes that mistakes', () => {
  writeFileSync(
    join(home, 'service.yaml'),
    'apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\nspec: {ports: [{port: 80}]}\n',
  );
  writeFileSync(
    join(home, 'route.yaml'),
    'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec:\n  hosts: [reviews]\n  http:\n    - route: [{destination: {host: reviews}}]\n    - route:\n        - destination:\n            host: ratings\n',
  );
  const warned = weft(['validate', 'service.yaml', 'route.yaml']);
  assert.equal(warned.code, 0, warned.err);
  assert.match(warned.err, /warning {2}route\.yaml:8:7 {2}spec\.http\[1\] {2}Conflict/);
  assert.match(warned.err, /warning {2}route\.yaml:10:19 {2}spec\.http\[1\]\.route\[0\]\.destination\.host/);
  assert.match(warned.err, /2 objects are valid \(2 files\), 2 warnings/);
  const strict = weft(['validate', 'service.yaml', 'route.yaml', '--strict', '-o', 'json']);
  assert.equal(strict.code, 2);
  const { valid, violations, warnings } = JSON.parse(strict.out) as Record<string, unknown[]>;
  assert.deepEqual([valid, violations?.length, warnings], [false, 2, []]);
  assert.match(weft(['validate', 'service.yaml', 'route.yaml', '-n', 'shop']).err, /2 objects are valid/);
});

test('completion scripts are valid for their shells and know the commands', () => {
  const bash = weft(['completion', 'bash']);
  const checked = spawnSync('bash', ['-n'], { input: bash.out, encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stderr);
  const complete = (words: readonly string[]): string => {
    const script = `${bash.out}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _weft 2>/dev/null; echo "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout;
  };
  assert.match(complete(['weft', 'sta']), /^status\s*$/);
  assert.match(complete(['weft', 'config', '']), /dump/);
  assert.match(complete(['weft', 'get', 'virt']), /virtualservices/);
  assert.match(complete(['weft', 'run', '--up']), /--upstream/);
  assert.match(complete(['weft', 'run', '--engine', '']), /weft envoy grpc/);
  assert.match(weft(['completion', 'zsh']).out, /^#compdef weft/);
  assert.match(weft(['completion', 'fish']).out, /complete -c weft/);
});
