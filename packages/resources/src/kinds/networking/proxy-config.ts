import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { accepted, age, pairList } from '../../format/columns.ts';
import { checkSelectorLabels } from '../../format/labels.ts';
import { Place } from '../../place.ts';
import { int32, map, object, text } from '../../schema/fields.ts';
import { istioStatus } from '../../schema/istio-status.ts';
import { workloadSelector } from '../../schema/workload-selector.ts';
import type { Violation } from '../../violation.ts';

function proxyConfigSchema() {
  return object('Settings of proxies.', {
    spec: object('Settings with which some proxies start.', {
      selector: workloadSelector('Chooses the workloads. Default: all of the namespace.'),
      concurrency: int32('Number of worker threads. 0: one for each core. Default 2.', { min: 0 }),
      environmentVariables: map('Environment variables of the proxy.', text('Value of the variable.', { max: 2048 })),
      image: object('The image of the proxy.', {
        imageType: text('The sort of image: default, distroless or debug.'),
      }),
    }),
    status: istioStatus(),
  });
}

/** Settings with which the proxies of some workloads start. */
export type ProxyConfig = ObjectOf<typeof proxyConfigSchema>;

function validateProxyConfig({ spec }: ProxyConfig): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  checkSelectorLabels(place.at('selector', 'matchLabels'), spec?.selector?.matchLabels);
  for (const [name, value] of Object.entries(spec?.environmentVariables ?? {})) {
    const here = place.at('environmentVariables', name);
    if (name === '' || /[=\0]/.test(name)) {
      here.invalid(name, 'not the name of an environment variable', 'Use letters, digits and `_`.');
    }
    if (value.includes('\0')) {
      here.invalid(value, 'an environment variable has no zero byte', 'Remove it.');
    }
  }
  return root.violations;
}

export const proxyConfigKind = declareKind<ProxyConfig>({
  group: 'networking.istio.io',
  versions: ['v1beta1'],
  kind: 'ProxyConfig',
  plural: 'proxyconfigs',
  singular: 'proxyconfig',
  shortNames: [],
  categories: ['istio-io', 'networking-istio-io'],
  namespaced: true,
  hasStatus: true,
  description: 'Settings with which the proxies of some workloads start.',
  schema: proxyConfigSchema,
  validate: validateProxyConfig,
  columns: [
    {
      name: 'Workloads',
      type: 'string',
      priority: 0,
      description: 'Labels of the workloads; none means all of the namespace.',
      value: ({ spec }) => pairList(spec?.selector?.matchLabels),
    },
    accepted,
    age,
  ],
});
