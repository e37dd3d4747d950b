import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from './logger.ts';

test('a line is one JSON object with bound fields, and the level can be changed while running', () => {
  const lines: string[] = [];
  const logger = createLogger({ fields: { part: 'x' }, write: (line) => lines.push(line) });
  const child = logger.with({ id: 7n });
  child.debug('hidden');
  child.info('a\nb', { error: new Error('broken') });
  logger.level = 'debug';
  child.debug('shown', { list: new Set([1]) });
  assert.equal(lines.length, 2);
  const first = JSON.parse(lines[0] ?? '');
  assert.equal(first.part, 'x');
  assert.equal(first.id, '7');
  assert.equal(first.msg, 'a\nb');
  assert.equal(first.error.message, 'broken');
  assert.deepEqual(JSON.parse(lines[1] ?? '').list, [1]);
  assert.ok(lines.every((line) => !line.includes('\n')));
});

test('values that redact themselves stay redacted', () => {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => lines.push(line) });
  logger.info('made a key', { key: { toJSON: () => '[redacted]', secret: 'hush' } });
  assert.ok(!(lines[0] ?? '').includes('hush'));
});
