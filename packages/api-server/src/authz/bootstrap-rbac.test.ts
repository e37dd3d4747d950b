import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '@weft/resources';
import { bootstrapRbac } from './bootstrap-rbac.ts';

type Rules = readonly { readonly resources?: readonly string[]; readonly verbs: readonly string[] }[];

test('view shows no secrets and no rights, edit gives no rights away', () => {
  const rulesOf = (name: string): Rules =>
    (
      bootstrapRbac(kinds).find(
        ({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name,
      ) as unknown as {
        rules: Rules;
      }
    ).rules;
  const resources = (name: string): string[] => rulesOf(name).flatMap((rule) => rule.resources ?? []);
  assert.ok(resources('view').includes('virtualservices'));
  assert.ok(!resources('view').includes('secrets') && !resources('view').includes('roles'));
  assert.ok(rulesOf('view').every(({ verbs }) => verbs.every((verb) => ['get', 'list', 'watch'].includes(verb))));
  assert.ok(resources('edit').includes('secrets') && !resources('edit').includes('roles'));
  assert.ok(resources('admin').includes('rolebindings') && !resources('admin').includes('clusterroles'));
});
