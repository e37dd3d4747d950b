// The door for people: `npm start`, `npm test`, `npm run bench`, `npm run build`, `npm run weft -- …`.
// Plain JavaScript without dependencies, because it runs before anything is installed and on any Node from 20 on: it brings
// Node 24 where the machine's is older, installs the locked dependencies, builds, and hands over.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const nodeVersion = '24.21.0';
const root = resolve(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '..');
const toolsDir = join(root, '.tools');
const tty = process.stderr.isTTY === true;
const command = process.argv[2] ?? 'start';
const rest = process.argv.slice(3);

/** Ends with the three things a person needs: what, why, how to mend it. */
function fail(what, why, fix) {
  process.stderr.write(`\nweft: ${what}\n  why: ${why}\n  fix: ${fix}\n`);
  process.exit(1);
}

function explainInstallFailure(what, output) {
  // npm puts what matters first and its usage text last.
  const lines = output.trim().split('\n');
  const errors = lines.filter((line) => /^npm (error|ERR!)/.test(line));
  const text = (errors.length > 0 ? errors : lines).slice(0, 12).join('\n       ');
  if (/ENOSPC|no space left/i.test(output)) {
    fail(what, 'the disk is full', `free about 600 MB on the disk that holds ${root}, then run the command again`);
  }
  if (/EACCES|EPERM|EROFS/i.test(output)) {
    fail(
      what,
      `this user may not write in ${root}`,
      'clone Weft into a folder of your own, then run the command again',
    );
  }
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|network/i.test(output)) {
    fail(
      what,
      'the npm registry cannot be reached',
      'check the network or the registry set by `npm config get registry`, then run the command again',
    );
  }
  fail(what, `npm ended with an error:\n       ${text}`, 'mend what npm names, then run the command again');
}

/** Runs a set-up step with a line that shows that something is happening and how long it has taken. */
function step(title, file, args, options = {}) {
  return new Promise((done) => {
    const started = Date.now();
    const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;
    if (tty) {
      process.stderr.write(`  ${title} …`);
    }
    const timer = setInterval(() => tty && process.stderr.write(`\r  ${title} … ${seconds()}`), 500);
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const end = (code) => {
      clearInterval(timer);
      process.stderr.write(`${tty ? '\r' : ''}  ${title} … ${code === 0 ? 'done' : 'failed'} (${seconds()})\n`);
      done({ code, output });
    };
    child.on('error', (error) => {
      keep(String(error.message));
      end(1);
    });
    child.on('close', (code) => end(code ?? 1));
  });
}

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const npmFlags = ['--no-audit', '--no-fund', '--no-progress', '--ignore-scripts', '--loglevel=error'];

function hashOf(...parts) {
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** The Node that everything else runs on: this one, or Node 24 from the npm registry. */
async function node24() {
  if (Number(process.versions.node.split('.')[0]) >= 24) {
    return process.execPath;
  }
  const packageName = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const home = join(toolsDir, 'node');
  const binary = join(home, 'node_modules', packageName, 'bin', 'node');
  const works = () =>
    existsSync(binary) && spawnSync(binary, ['--version']).stdout?.toString().trim() === `v${nodeVersion}`;
  if (!works()) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
    const what = `Node ${nodeVersion} could not be installed (this machine has ${process.versions.node})`;
    const result = await step(
      `Node ${nodeVersion} (this machine has ${process.versions.node})`,
      npm,
      ['install', '--prefix', home, ...npmFlags, `${packageName}@${nodeVersion}`],
      { cwd: home },
    );
    if (result.code !== 0) {
      explainInstallFailure(what, result.output);
    }
    if (!works()) {
      fail(what, `${binary} does not run`, 'install Node 24 yourself, then run the command again');
    }
  }
  return binary;
}

/** Newest change below the folders that the build reads. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    return 0;
  }
  if (!stat.isDirectory()) {
    return stat.mtimeMs;
  }
  return Math.max(
    0,
    ...readdirSync(path)
      .filter((name) => name !== 'node_modules' && name !== 'testdata')
      .map((name) => newest(join(path, name))),
  );
}

async function prepare() {
  try {
    mkdirSync(toolsDir, { recursive: true });
  } catch (error) {
    explainInstallFailure('the set-up cannot write its files', String(error.code ?? error.message));
  }
  const node = await node24();
  const environment = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH ?? ''}` };
  const lockHash = hashOf(readIfThere(join(root, 'package-lock.json')), node);
  const dependencyStamp = join(toolsDir, 'dependencies.stamp');
  if (readIfThere(dependencyStamp) !== lockHash || !existsSync(join(root, 'node_modules'))) {
    // Not `npm ci`: it refuses a lock file without the optional packages of other platforms, which a partial mirror of the
    // registry cannot list. Versions and hashes come from the lock file all the same, and `--no-save` leaves it as it is.
    const result = await step('dependencies', npm, ['install', '--no-save', ...npmFlags], { env: environment });
    if (result.code !== 0) {
      explainInstallFailure('the dependencies could not be installed', result.output);
    }
    writeFileSync(dependencyStamp, lockHash);
  }
  const buildStamp = join(toolsDir, 'build.stamp');
  const built = hashOf(lockHash, String(Math.max(newest(join(root, 'packages')), newest(join(root, 'tools')))));
  if (readIfThere(buildStamp) !== built || !existsSync(join(root, 'dist'))) {
    const result = await step('build', node, [join(root, 'tools/build.ts')], { env: environment });
    if (result.code !== 0) {
      fail(
        'the build failed',
        result.output.trim().split('\n').slice(-15).join('\n       '),
        'in an unchanged checkout this is a defect: please report it',
      );
    }
    writeFileSync(
      buildStamp,
      hashOf(lockHash, String(Math.max(newest(join(root, 'packages')), newest(join(root, 'tools'))))),
    );
  }
  return { node, environment };
}

const programs = {
  start: () => ['dist/weft.js', 'demo', ...rest],
  weft: () => ['dist/weft.js', ...rest],
  test: () => ['tools/run-tests.ts', ...rest],
  bench: () => ['bench/main.ts', ...rest],
  build: () => undefined,
};

if (!(command in programs)) {
  fail(
    `unknown command ${command}`,
    `it is none of ${Object.keys(programs).join(', ')}`,
    'use `npm start`, `npm test`, `npm run bench` or `npm run weft -- --help`',
  );
}
const { node, environment } = await prepare();
const args = programs[command]();
if (args !== undefined) {
  // `npm start` keeps its state in the checkout, so that a demo never touches a mesh that the user runs.
  const env = { ...environment, WEFT_HOME: process.env.WEFT_HOME ?? join(root, '.weft') };
  const child = spawn(node, [join(root, args[0]), ...args.slice(1)], {
    cwd: process.env.INIT_CWD ?? root,
    stdio: 'inherit',
    env,
  });
  // The terminal sends Ctrl-C to the whole group: the child ends by itself, and we wait for it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  }
  // npm does not pass on a signal that was sent to it alone: when it has gone, what it started must not stay behind.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 1_000).unref();
  child.on('close', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
