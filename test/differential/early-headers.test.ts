import { anyHost, type Configuration, get, type JsonObject, oneOf, someOf } from './support/configuration.ts';
import { compareProxies } from './support/run.ts';

/** What the connection manager sets before a route is looked for. */
const early = (...mutations: readonly JsonObject[]): JsonObject => ({
  name: 'envoy.http.early_header_mutation.header_mutation',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
    mutations,
  },
});

const set = (key: string, value: string, append_action: string): JsonObject => ({
  append: { header: { key, value }, append_action },
});

const chosen = (value: string, invert_match: boolean): JsonObject => ({
  prefix: '/',
  headers: [
    { name: 'x-chain', string_match: { exact: value }, invert_match, treat_missing_header_as_empty: true },
    { name: 'x-other', present_match: true, invert_match: true },
  ],
});

const byChain: Configuration = {
  name: 'early-headers',
  clusters: ['one'],
  manager: {
    early_header_mutation_extensions: [
      early(
        set('x-chain', 'edge/g|*.example~7e', 'OVERWRITE_IF_EXISTS_OR_ADD'),
        set('x-more', '100%%', 'APPEND_IF_EXISTS_OR_ADD'),
      ),
      early({ remove: 'x-gone' }, set('x-absent', 'added', 'ADD_IF_ABSENT')),
    ],
  },
  routes: {
    request_headers_to_remove: ['x-chain'],
    virtual_hosts: [
      {
        name: 'elsewhere',
        domains: ['elsewhere.example'],
        routes: [
          { name: 'misdirected', match: chosen('another', true), direct_response: { status: 421 } },
          { name: 'never', match: { prefix: '/' }, route: { cluster: 'one' } },
        ],
      },
      anyHost([
        { name: 'misdirected', match: chosen('edge/g|*.example~7e', true), direct_response: { status: 421 } },
        {
          name: 'gone',
          match: { prefix: '/', headers: [{ name: 'x-gone', present_match: true }] },
          direct_response: { status: 500 },
        },
        { name: 'own', match: { prefix: '/' }, route: { cluster: 'one' } },
      ]),
    ],
  },
  generate: (random) =>
    get(
      '/',
      someOf(random, [
        ['x-chain', 'another'],
        ['X-Chain', 'forged'],
        ['x-more', 'client'],
        ['x-gone', '1'],
        ['x-absent', 'client'],
        ['x-other', '1'],
      ] as const),
      oneOf(random, ['a.example', 'elsewhere.example']),
    ),
};

compareProxies('early header mutations', [byChain]);
