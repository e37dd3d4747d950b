import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeListener } from '@weft/resources';
import { ListenerPlaces } from './listener-conflicts.ts';

function listener(name: string, port: number, protocol: string, hostname?: string): KubeListener {
  return { name, port, protocol, ...(hostname === undefined ? {} : { hostname }) } as KubeListener;
}

function told(listeners: readonly KubeListener[], places = new ListenerPlaces()): readonly (string | undefined)[] {
  return places.take(listeners).map((conflict) => conflict && `${conflict.reason}: ${conflict.message}`);
}

test('of listeners that cannot be told apart each is told of the first of the others', () => {
  assert.deepEqual(
    told([
      listener('a', 80, 'HTTP', 'x.example'),
      listener('b', 80, 'HTTP', 'X.example'),
      listener('c', 80, 'HTTP', 'x.example'),
      listener('d', 81, 'HTTP', 'x.example'),
      listener('e', 80, 'HTTP', 'y.example'),
    ]),
    [
      'HostnameConflict: listener b has the same host on port 80',
      'HostnameConflict: listener a has the same host on port 80',
      'HostnameConflict: listener a has the same host on port 80',
      undefined,
      undefined,
    ],
  );
});

test('protocols that do not share a port leave it to nobody', () => {
  assert.deepEqual(
    told([
      listener('a', 443, 'HTTPS', 'x.example'),
      listener('b', 443, 'TLS', 'y.example'),
      listener('c', 443, 'HTTPS', 'x.example'),
      listener('d', 443, 'TCP'),
    ]),
    [
      'HostnameConflict: listener c has the same host on port 443',
      'ProtocolConflict: listener d has protocol TCP on port 443',
      'HostnameConflict: listener a has the same host on port 443',
      'ProtocolConflict: listener a has protocol HTTPS on port 443',
    ],
  );
});

test('what came before keeps its place, and is not named', () => {
  const places = new ListenerPlaces();
  assert.deepEqual(told([listener('a', 80, 'HTTP', 'x.example')], places), [undefined]);
  assert.deepEqual(
    told([listener('b', 80, 'HTTP', 'x.example'), listener('c', 80, 'HTTP'), listener('d', 80, 'TCP')], places),
    [
      'HostnameConflict: port 80 of the Gateway has a listener for the same host',
      undefined,
      'ProtocolConflict: port 80 of the Gateway has a listener of another protocol',
    ],
  );
});
