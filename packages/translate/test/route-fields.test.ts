import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ForwardAction, HttpAction } from '@weft/ir';
import { irOf, objectsOf, stateOf, statusOf } from './support/objects.ts';

/** Filters of single backends and sessions: what is done, and what is said of the rest. */

const { gatewayApi, gatewayProxy, service } = objectsOf('shop');

/** The action of the one rule, and what the route says that it does not do. */
function resultOf(rule: object): { readonly action: HttpAction | undefined; readonly notYet: string | undefined } {
  const state = stateOf([
    ...gatewayProxy('p', 'g'),
    service('a'),
    service('b'),
    gatewayApi('Gateway', 'g', {
      gatewayClassName: 'weft',
      listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
    }),
    gatewayApi('HTTPRoute', 'r', { parentRefs: [{ name: 'g' }], rules: [rule] }),
  ]);
  const [host] = irOf(state, 'shop/p').gateway[0]?.virtualHosts ?? [];
  const [parent] = statusOf(state, 'route', 'r').parents;
  return {
    action: host?.routes.routes[0]?.action,
    notYet: parent?.conditions.find(({ type }) => type === 'NotYetSupported')?.message,
  };
}

function forwarded({ action }: ReturnType<typeof resultOf>): ForwardAction {
  assert.ok(action?.kind === 'forward');
  return action;
}

const backend = (name: string, more: object = {}): object => ({ name, port: 80, ...more });
const mirror = { type: 'RequestMirror', requestMirror: { backendRef: { name: 'b', port: 80 } } };
const host = { type: 'URLRewrite', urlRewrite: { hostname: 'other.example' } };
const path = { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/x' } } };

test('where one backend gets all requests its filters are those of the rule, and before them', () => {
  const result = resultOf({
    filters: [host],
    backendRefs: [backend('a', { filters: [mirror, path] }), backend('b', { weight: 0, filters: [mirror] })],
  });
  const { mirrors, pathRewrite, hostRewrite, destinations } = forwarded(result);
  assert.deepEqual(
    mirrors.map(({ cluster }) => cluster),
    ['outbound|80||b.shop.svc.cluster.local'],
  );
  assert.deepEqual(pathRewrite, { kind: 'whole', value: '/x' });
  assert.equal(hostRewrite, undefined, 'a rewrite of the backend takes the place of that of the rule');
  assert.equal(destinations.length, 1);
  assert.equal(result.notYet, undefined);
});

test('of several backends each has its own host, and what it cannot have makes its share an error', () => {
  const result = resultOf({
    backendRefs: [backend('a', { filters: [host] }), backend('b', { filters: [path] }), backend('b', { weight: 3 })],
  });
  assert.deepEqual(
    forwarded(result).destinations.map(({ resolved, hostRewrite, weight }) => [resolved, hostRewrite, weight]),
    [
      [true, 'other.example', 1],
      [false, undefined, 1],
      [true, undefined, 3],
    ],
  );
  assert.equal(result.notYet, 'rules with these are answered 500: spec.rules[0].backendRefs[1].filters[0]');
});

test('an extension is never left out silently', () => {
  const extension = { type: 'ExtensionRef', extensionRef: { group: 'example.com', kind: 'Filter', name: 'f' } };
  const result = resultOf({ backendRefs: [backend('a', { filters: [extension] })] });
  assert.equal(result.action?.kind, 'direct-response');
  assert.match(result.notYet ?? '', /backendRefs\[0\]\.filters\[0\]$/);
});

test('a session ends with its cookie, and other ends are said not to come', () => {
  const sessionOf = (sessionPersistence: object) => {
    const result = resultOf({ sessionPersistence, backendRefs: [backend('a')] });
    return [forwarded(result).session, result.notYet];
  };
  const permanent = { absoluteTimeout: '1h', cookieConfig: { lifetimeType: 'Permanent' } };
  assert.deepEqual(sessionOf({ sessionName: 's', ...permanent }), [
    { kind: 'cookie', name: 's', path: '/', ttlMs: 3_600_000 },
    undefined,
  ]);
  assert.deepEqual(sessionOf({ sessionName: 's', type: 'Header', absoluteTimeout: '1h', idleTimeout: '1m' }), [
    { kind: 'header', name: 's' },
    'nothing acts on it: spec.rules[0].sessionPersistence.idleTimeout, spec.rules[0].sessionPersistence.absoluteTimeout',
  ]);
});
