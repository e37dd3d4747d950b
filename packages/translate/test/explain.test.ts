import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { type ExplainedRequest, explainRequest } from '../src/index.ts';
import { readCase } from './golden/case.ts';

function request(url: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): ExplainedRequest {
  const parsed = new URL(url);
  return {
    method,
    scheme: parsed.protocol.slice(0, -1),
    authority: headers['host'] ?? parsed.host,
    target: parsed.host,
    path: parsed.pathname,
    query: parsed.searchParams,
    headers: new Map(Object.entries(headers)),
  };
}

function explain(name: string, proxy: string, asked: ExplainedRequest) {
  const { state } = readCase(resolve(import.meta.dirname, `../testdata/${name}.in.yaml`), 'as written');
  const explanation = explainRequest(state, proxy, [], asked);
  assert.ok(explanation !== undefined);
  return explanation;
}

test('a request of a sidecar: what was passed over, what was taken, and where it leads', () => {
  const { steps, outcome } = explain('fault-cors-mirror', 'shop/web-1', request('http://reviews:9080/copied/1'));
  assert.deepEqual(
    steps.map(({ title }) => title),
    ['listener', 'host', 'route', 'action', 'destination'],
  );
  const [, , route, action, destination] = steps;
  assert.match(route?.result ?? '', /^shop\/reviews#1: path is \/copied…/);
  assert.deepEqual(route?.details, ['passed over shop/reviews#0: the path is not /slow…']);
  assert.deepEqual(route?.origins, ['Service shop/reviews', 'VirtualService shop/reviews']);
  assert.ok(action?.details.includes('mirrors 12.5 % to outbound|80||shadow.shop.svc.cluster.local'));
  assert.match(destination?.details[0] ?? '', /^0 endpoints, 0 healthy: requests are answered 503/);
  assert.equal(outcome, 'forwarded');
});

test('headers decide, and the reason why they do not is said', () => {
  const at = (headers: Readonly<Record<string, string>>) =>
    explain('gateway-http', 'edge/public-1', request('http://www.shop.example/reviews/2?v=2', headers));
  assert.match(at({ 'x-user': 'a' }).steps[2]?.result ?? '', /^shop\/shop#1/);
  assert.match(at({ 'x-user': 'b' }).steps[2]?.details.join() ?? '', /header x-user is "a": it is "b"/);
  assert.match(at({}).steps[2]?.details.join() ?? '', /header x-user is "a": it is absent/);
});

test('redirects, answers of the proxy itself, and hosts that nobody has', () => {
  const redirect = explain('gateway-http', 'edge/public-1', request('http://www.shop.example/old/a'));
  assert.equal(redirect.outcome, 'answered 301');
  const broken = explain('gateway-http', 'edge/public-1', request('http://www.shop.example/x17'));
  assert.equal(broken.outcome, 'answered 500');
  const unknown = explain('fault-cors-mirror', 'shop/web-1', request('http://nobody.example/'));
  assert.match(unknown.outcome, /^answered 404/);
  const closed = explain('gateway-http', 'edge/public-1', request('https://www.shop.example/'));
  assert.equal(closed.outcome, 'not connected');
});

test('there is nothing to say about a proxy that is not there', () => {
  const { state } = readCase(resolve(import.meta.dirname, '../testdata/gateway-http.in.yaml'), 'as written');
  assert.equal(explainRequest(state, 'edge/nobody', [], request('http://a/')), undefined);
});
