import { anyHost, type Configuration, chance, get, oneOf, someOf } from './support/configuration.ts';
import { compareProxies } from './support/run.ts';

const paths = [
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/ab',
  '/A/B',
  '/a?x=1',
  '/static/img.png',
  '/api/v1/users/12',
  '/exact',
  '/Exact',
  '/exact/',
  '/exact?q',
] as const;

const pathMatching: Configuration = {
  name: 'path-matching',
  clusters: ['one', 'two', 'three', 'four', 'five'],
  routes: {
    virtual_hosts: [
      anyHost([
        { name: 'exact', match: { path: '/exact' }, route: { cluster: 'one' } },
        { name: 'insensitive', match: { path: '/exact', case_sensitive: false }, route: { cluster: 'two' } },
        { name: 'separated', match: { path_separated_prefix: '/a' }, route: { cluster: 'three' } },
        { name: 'regex', match: { safe_regex: { regex: '/api/v[0-9]+/users/[0-9]+' } }, route: { cluster: 'four' } },
        { name: 'prefix', match: { prefix: '/a' }, route: { cluster: 'five' } },
        { name: 'prefix-insensitive', match: { prefix: '/a', case_sensitive: false }, route: { cluster: 'one' } },
        {
          name: 'static',
          match: { prefix: '/static' },
          direct_response: { status: 201, body: { inline_string: 'made here' } },
        },
      ]),
    ],
  },
  generate: (random) =>
    get(oneOf(random, paths) + (chance(random, 0.2) ? oneOf(random, ['/', 'x', '?y=2', '/api/v2/users/1']) : '')),
};

compareProxies('routing', [pathMatching]);
void someOf;
