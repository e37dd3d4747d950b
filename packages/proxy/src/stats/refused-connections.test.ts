import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logger } from '@weft/base';
import { ManualClock } from '@weft/testkit';
import type { ListenerConfig } from '../runtime-config/config.ts';
import { type ConnectionRecord, noConnection } from '../stream-info.ts';
import { Exposition } from './exposition.ts';
import { RefusedConnections } from './refused-connections.ts';

test('refusals are counted by reason, and the log has one line about each kind in ten seconds', () => {
  const lines: unknown[] = [];
  const note = (_message: string, fields?: unknown): void => {
    lines.push(fields);
  };
  const logger: Logger = { debug: note, info: note, warn: note, error: note, with: () => logger };
  const clock = new ManualClock();
  const refused = new RefusedConnections(clock, logger);
  const listener = { name: 'inbound|80' } as ListenerConfig;
  const refuse = (reason: string): void =>
    refused.record({ downstream: noConnection, connectionTerminationDetails: reason } as ConnectionRecord, listener);
  refuse('tls_handshake_failed');
  refuse('tls_handshake_failed');
  refuse('filter_chain_not_found');
  assert.equal(lines.length, 2);
  clock.advance(10_000);
  refuse('tls_handshake_failed');
  assert.equal(lines.length, 3);
  assert.equal((lines[2] as { othersSinceTheLastLine: number }).othersSinceTheLastLine, 1);
  const out = new Exposition();
  refused.write(out);
  const text = out.toString();
  assert.match(text, /refused_connections_total\{listener="inbound\|80",reason="tls_handshake_failed"\} 3/);
  assert.match(text, /reason="filter_chain_not_found"\} 1/);
});
