import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePorts } from './harness.ts';

const main = join(import.meta.dirname, '../src/main.ts');

/** A file system in a mount namespace of its own; none where user namespaces are forbidden. */
const namespaces = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=4m none /mnt']);
const skip = namespaces.status === 0 ? false : 'SKIP: this machine gives no mount namespaces to its users';

const script = `
set -u
mount -t tmpfs -o size=96m none "$WEFT_HOME" && chmod 700 "$WEFT_HOME"
weft() { "$NODE" "$MAIN" "$@"; }
map() { printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: %s}\\ndata: {x: "%s"}\\n' "$1" "$2" | weft apply -f -; }
trap 'weft down' EXIT
weft up ${freePorts.join(' ')} > up.txt 2>&1 || { cat up.txt; exit 90; }
map kept small
dd if=/dev/zero of="$WEFT_HOME/fill" bs=64k 2> /dev/null
big=$(head -c 300000 /dev/zero | tr '\\0' x)
map lost "$big" || echo "apply ended with $?"
weft run --name job -- true || echo "run ended with $?"
weft get configmap kept -o name || echo "get ended with $?"
rm "$WEFT_HOME/fill"
map later "$big" || echo "apply ended with $?"
`;

test('a full disk is named with its fix, nothing that was acknowledged is lost, and it goes on when there is space', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-disk-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const state = join(folder, 'state');
  mkdirSync(state, { mode: 0o700 });
  const { KUBECONFIG: _, ...env } = process.env;
  const shell = spawn('unshare', ['-rm', 'sh', '-c', script], {
    cwd: folder,
    env: { ...env, WEFT_HOME: state, NO_COLOR: '1', NODE: process.execPath, MAIN: main },
  });
  let text = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  await new Promise((resolve) => shell.once('close', resolve));
  assert.match(text, /configmap\/kept created/);
  assert.match(
    text,
    /✗ .*full.* DISK_FULL\n {2}where .*\n {2}fix +Free some space or move the state folder with WEFT_HOME\./,
  );
  assert.match(text, /apply ended with 1/);
  assert.match(text, /run ended with 1/);
  assert.doesNotMatch(text, /configmap\/lost created|get ended|INTERNAL/);
  assert.match(text, /configmap\/kept\n/);
  assert.match(text, /configmap\/later created/);
});
