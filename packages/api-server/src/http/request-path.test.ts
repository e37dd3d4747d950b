import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResourcePath } from './request-path.ts';

test('paths of the API name group, version, resource, namespace, name and subresource', () => {
  const cases: Readonly<Record<string, readonly (string | undefined)[]>> = {
    '/api/v1/namespaces': ['', 'v1', 'namespaces', undefined, undefined, undefined],
    '/api/v1/namespaces/a': ['', 'v1', 'namespaces', undefined, 'a', undefined],
    '/api/v1/namespaces/a/status': ['', 'v1', 'namespaces', undefined, 'a', 'status'],
    '/api/v1/namespaces/a/services': ['', 'v1', 'services', 'a', undefined, undefined],
    '/api/v1/namespaces/a/services/b/status': ['', 'v1', 'services', 'a', 'b', 'status'],
    '/apis/g.io/v1/namespaces/a/things/b%2Fc': ['g.io', 'v1', 'things', 'a', 'b/c', undefined],
    '/apis/g.io/v1/things/b': ['g.io', 'v1', 'things', undefined, 'b', undefined],
  };
  for (const [path, expected] of Object.entries(cases)) {
    const found = parseResourcePath(path);
    assert.deepEqual(
      [found?.group, found?.version, found?.plural, found?.namespace, found?.name, found?.subresource],
      expected,
      path,
    );
  }
});

test('other paths, empty parts and bad encoding are none', () => {
  for (const path of [
    ...['/', '/api', '/api/v1', '/apis/g/v1', '/version', '/api/v1/a/b/c/d', '/api//a', '/api/v1/a/%zz', '/api/v1/a/'],
    '/api/v1/namespaces/a/b/c/d/e',
  ]) {
    assert.equal(parseResourcePath(path), undefined, path);
  }
});
