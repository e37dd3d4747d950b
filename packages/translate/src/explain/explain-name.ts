import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ServiceModel } from '../state/service-model.ts';
import { clientOf } from '../to-ir/workload-ir.ts';
import type { EffectiveExplanation } from './effective.ts';
import { explainService } from './explain-service.ts';
import { explainWorkload } from './explain-workload.ts';

/** What somebody asks about. */
export interface AskedName {
  /** `reviews`, `reviews.shop`, `shop/reviews`, a host; `service/…` and `workload/…` (or `proxy/…`) say which of the two. */
  readonly name: string;
  /** In which short names are looked up. */
  readonly namespace: string;
  /** `<namespace>/<name>` of the Proxy of the client whose view is wanted; undefined: any workload of the service's namespace. */
  readonly from: string | undefined;
}

const kinds: Readonly<Record<string, 'service' | 'workload'>> = {
  service: 'service',
  svc: 'service',
  workload: 'workload',
  proxy: 'workload',
};

/**
 * The effective values of a service, or of the proxy of a workload, each with where it comes from. A service comes before a workload of the same name.
 * @param observedHosts of a proxy, as for `workloadIr`.
 * @returns undefined when nothing has the name.
 */
export function explainName(
  state: MeshState,
  asked: AskedName,
  observedHosts: (proxyKey: string) => readonly string[],
): EffectiveExplanation | undefined {
  const [first = '', ...rest] = asked.name.split('/');
  const kind = rest.length === 0 ? undefined : kinds[first];
  const [namespace, name] = inNamespace(kind === undefined ? [first, ...rest] : rest, asked.namespace);
  if (kind !== 'workload') {
    const service = serviceOf(state, name, namespace);
    if (service !== undefined) {
      const { client, text } = clientFor(state, service, asked.from);
      return explainService(state, service, client, text);
    }
  }
  const key = kind === 'service' ? undefined : proxyOf(state, namespace, name);
  return key === undefined ? undefined : explainWorkload(state, key, observedHosts(key));
}

function inNamespace(parts: readonly string[], namespace: string): readonly [string, string] {
  const [first = '', second] = parts;
  return second === undefined ? [namespace, first] : [first, second];
}

function serviceOf(state: MeshState, name: string, namespace: string): ServiceModel | undefined {
  // A ServiceEntry has another name than its hosts.
  return (
    state.resolveHost(name, namespace, namespace) ?? state.services.ofObject(`ServiceEntry/${namespace}/${name}`)[0]
  );
}

function clientFor(
  state: MeshState,
  service: ServiceModel,
  from: string | undefined,
): { readonly client: Client; readonly text: string } {
  return from === undefined
    ? {
        client: { namespace: service.namespace, labels: {} },
        text: `any workload of namespace ${service.namespace}`,
      }
    : { client: clientOf(state, from), text: from };
}

/** A proxy by its name, or by the beginning of it up to a dash. */
function proxyOf(state: MeshState, namespace: string, name: string): string | undefined {
  const key = `${namespace}/${name}`;
  return state.proxy(key) === undefined ? state.proxyKeys().find((one) => one.startsWith(`${key}-`)) : key;
}
