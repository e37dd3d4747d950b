import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorCodes, errorDeclaration, MeshError } from './mesh-error.ts';

test('from() is total and maps what the system says to codes', () => {
  assert.equal(MeshError.from(Object.assign(new Error('x'), { code: 'EADDRINUSE' })).code, 'PORT_IN_USE');
  assert.equal(MeshError.from(Object.assign(new Error('x'), { code: 'ENOSPC' })).code, 'DISK_FULL');
  assert.equal(MeshError.from('a string').code, 'INTERNAL');
  assert.equal(MeshError.from(undefined).message, 'undefined');
  const error = new MeshError('NOT_FOUND', 'no such file');
  assert.equal(MeshError.from(error), error);
});

test('every code has a hint and a section in docs/errors.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');
  for (const code of errorCodes) {
    assert.ok(errorDeclaration(code).hint.length > 10, code);
    assert.match(page, new RegExp(`^### ${code}$`, 'm'), `${code} is not documented`);
  }
});
