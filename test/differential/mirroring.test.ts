import { anyHost, type Configuration, chance, get, type JsonObject, oneOf } from './support/configuration.ts';
import { compareProxies } from './support/run.ts';

const mirrorTo = (cluster: string, fields: JsonObject = {}): JsonObject => ({ cluster, ...fields });
const never: JsonObject = { runtime_fraction: { default_value: { numerator: 0 } } };

const mirroring: Configuration = {
  name: 'mirroring',
  clusters: ['one', 'copy-a', 'copy-b', 'copy-host', { name: 'copy-refused', refuses: true }],
  routes: {
    virtual_hosts: [
      anyHost(
        [
          {
            name: 'single',
            match: { prefix: '/single' },
            route: { cluster: 'one', request_mirror_policies: [mirrorTo('copy-a')] },
          },
          {
            name: 'several',
            match: { prefix: '/several' },
            route: {
              cluster: 'one',
              request_mirror_policies: [
                mirrorTo('copy-a'),
                mirrorTo('copy-b', { disable_shadow_host_suffix_append: true }),
              ],
            },
          },
          {
            name: 'never',
            match: { prefix: '/never' },
            route: { cluster: 'one', request_mirror_policies: [mirrorTo('copy-a', never)] },
          },
          {
            name: 'nobody',
            match: { prefix: '/nobody' },
            route: { cluster: 'one', request_mirror_policies: [mirrorTo('nobody'), mirrorTo('copy-b')] },
          },
          {
            name: 'refused',
            match: { prefix: '/refused' },
            route: { cluster: 'one', request_mirror_policies: [mirrorTo('copy-refused'), mirrorTo('copy-b')] },
          },
          {
            name: 'by-header',
            match: { prefix: '/header' },
            route: { cluster: 'one', request_mirror_policies: [{ cluster_header: 'x-mirror' }] },
          },
          {
            name: 'edited',
            match: { prefix: '/edited' },
            route: {
              cluster: 'one',
              prefix_rewrite: '/rewritten',
              host_rewrite_literal: 'rewritten.example',
              request_mirror_policies: [mirrorTo('copy-a')],
            },
            request_headers_to_add: [{ header: { key: 'x-added', value: 'yes' } }],
          },
          { name: 'direct', match: { prefix: '/direct' }, direct_response: { status: 200 } },
          { name: 'of-host', match: { prefix: '/' }, route: { cluster: 'one' } },
        ],
        { request_mirror_policies: [mirrorTo('copy-host')] },
      ),
    ],
  },
  generate: (random) => ({
    ...get(
      oneOf(random, ['/single', '/several', '/never', '/nobody', '/refused', '/header', '/edited', '/direct', '/']),
      [
        ...(chance(random, 0.7) ? ([['x-mirror', oneOf(random, ['copy-a', 'copy-b', 'nobody', ''])]] as const) : []),
        ...(chance(random, 0.3) ? ([['x-forwarded-for', '10.1.2.3']] as const) : []),
        ...(chance(random, 0.2) ? ([['x-backend-status', oneOf(random, ['500', '404'])]] as const) : []),
      ],
      oneOf(random, ['shop.example', 'shop.example:8080', '[::1]:80', '[::1]']),
    ),
    ...(chance(random, 0.5) ? { method: 'POST', body: 'x'.repeat(Math.floor(random() * 20_000)) } : {}),
  }),
};

const fraction: Configuration = {
  name: 'mirror-fraction',
  clusters: ['one', 'copy-a'],
  routes: {
    virtual_hosts: [
      anyHost([
        {
          match: { prefix: '/' },
          route: {
            cluster: 'one',
            request_mirror_policies: [mirrorTo('copy-a', { runtime_fraction: { default_value: { numerator: 40 } } })],
          },
        },
      ]),
    ],
  },
  statistical: { outcome: ({ backends }) => backends.map(({ cluster }) => cluster).join(' ') },
  generate: () => get('/'),
};

compareProxies('mirroring', [
  mirroring,
  fraction,
  { ...mirroring, name: 'mirroring-http2', downstream: 'http2', share: 0.5 },
]);
