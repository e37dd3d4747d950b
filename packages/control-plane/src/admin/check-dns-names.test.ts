import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@weft/base';
import { type KubeObject, parseManifest } from '@weft/resources';
import { MeshState } from '@weft/translate';
import { checkDnsNames, dnsNamesOf } from './check-dns-names.ts';

function stateOf(text: string): MeshState {
  const { objects, violations } = parseManifest(text);
  assert.deepEqual(violations ?? [], []);
  const state = new MeshState();
  state.apply((objects ?? []).map(({ object }): { value: KubeObject } => ({ value: object })));
  return state;
}

const entry = (name: string, host: string, rest: string): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: shop}
spec: {hosts: ["${host}"], ports: [{number: 80, name: http, protocol: HTTP}], ${rest}}
`;

test('names that do not resolve are told with the object that has them; addresses and wildcards are no names', async () => {
  const state = stateOf(
    [
      entry('never', 'never.invalid', 'resolution: DNS'),
      entry(
        'here',
        'here.example',
        'resolution: DNS, endpoints: [{address: localhost}, {address: also-never.invalid}]',
      ),
      entry('fixed', 'fixed.example', 'resolution: STATIC, endpoints: [{address: 10.0.0.1}]'),
      entry('mixed', 'mixed.example', 'resolution: DNS, endpoints: [{address: 10.0.0.1}]'),
      entry('any', '*.example.com', 'resolution: NONE'),
      '---\napiVersion: v1\nkind: Service\nmetadata: {name: out, namespace: shop}\nspec: {type: ExternalName, externalName: out.invalid, ports: [{port: 80}]}\n',
    ].join(''),
  );
  const names = dnsNamesOf(state);
  assert.deepEqual(names.map(({ name, object }) => `${object} ${name}`).sort(), [
    'Service shop/out out.invalid',
    'ServiceEntry shop/here also-never.invalid',
    'ServiceEntry shop/here localhost',
    'ServiceEntry shop/never never.invalid',
  ]);
  const results = await checkDnsNames(names, systemClock);
  assert.deepEqual(
    results.map(({ title, outcome, message }) => `${outcome} ${title}: ${message.replace(/\(.*\)/, '(…)')}`),
    [
      'warning Service shop/out: out.invalid does not resolve (…): requests to it are answered 503',
      'warning ServiceEntry shop/here: also-never.invalid does not resolve (…): requests to it are answered 503',
      'warning ServiceEntry shop/never: never.invalid does not resolve (…): requests to it are answered 503',
    ],
  );
  assert.deepEqual(
    (
      await checkDnsNames(
        names.filter(({ name }) => name === 'localhost'),
        systemClock,
      )
    ).map(({ outcome }) => outcome),
    ['ok'],
  );
});

test('a resolver that is slow does not hold the others up for ever', async () => {
  let now = 0;
  const clock = { ...systemClock, monotonicMs: () => now };
  const asked: string[] = [];
  const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, object: name }));
  const [result] = await checkDnsNames(names, clock, (name) => {
    asked.push(name);
    now += 2_000;
    return Promise.resolve();
  });
  assert.deepEqual(asked, ['a', 'b', 'c']);
  assert.equal(result?.message, '3 of 6 looked up');
});
