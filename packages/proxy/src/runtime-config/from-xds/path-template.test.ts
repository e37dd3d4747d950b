import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problems } from '../wire/problems.ts';
import { pathTemplateFromXds, templateRewriteFromXds } from './path-template.ts';

function refusal(template: string): string {
  const problems = new Problems();
  pathTemplateFromXds(template, problems);
  return problems.lines().join();
}

test('templates that Envoy does not have are refused by name', () => {
  assert.match(refusal(''), /from 1 to 256/);
  assert.match(refusal(`/${'a'.repeat(256)}`), /from 1 to 256/);
  assert.match(refusal('a/b'), /must begin with \//);
  assert.match(refusal('/**/x/*'), /\*\* must be the last operator/);
  assert.match(refusal('/{a}/{a}'), /a is there twice/);
  assert.match(refusal('/{a}/{b}/{c}/{d}/{e}/{f}'), /more than 5 variables/);
  assert.match(refusal('/{abcdefghijklmnopq}'), /from 1 to 16/);
  assert.match(refusal('/{a'), /"}" is due/);
  assert.match(refusal('/{a=}'), /empty pattern/);
  assert.match(refusal('/a b'), /neither text nor an operator/);
});

test('a rewrite names variables of its template only', () => {
  const problems = new Problems();
  const template = pathTemplateFromXds('/{one}/x/{rest=**}', problems);
  assert.ok(problems.empty && template !== undefined);
  const substitution = templateRewriteFromXds('/{rest}/y/{one}', template.variables, problems);
  assert.equal(template.regex.replaceAll('/a/x/b/c', substitution ?? ''), '/b/c/y/a');
  assert.equal(templateRewriteFromXds('/{two}', template.variables, problems), undefined);
  assert.match(problems.lines().join(), /the variable two is not in the template/);
});
