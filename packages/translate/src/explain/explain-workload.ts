import type { ListenAddress } from '@weft/ir';
import { localClusterName } from '../names.ts';
import { originOf } from '../origin.ts';
import type { MeshState } from '../state/mesh-state.ts';
import type { ServiceModel } from '../state/service-model.ts';
import { localClusterEndpoints } from '../to-ir/local-cluster.ts';
import { clientOf, workloadIr } from '../to-ir/workload-ir.ts';
import { endpointNames } from '../to-xds/xds-from-ir.ts';
import { socketText } from '../unix-address.ts';
import { type EffectiveExplanation, type ExplainedValue, originText, refText, weftDefault } from './effective.ts';
import { conditionSections } from './explain-conditions.ts';
import { mutualTlsValues } from './explain-peers.ts';
import { socketOrigin } from './socket-origin.ts';

/** What is in force for the proxy of a workload: where it listens, what it takes, what it is set up to call. undefined: there is no such Proxy. */
export function explainWorkload(
  state: MeshState,
  proxyKey: string,
  observedHosts: readonly string[],
): EffectiveExplanation | undefined {
  const proxy = state.proxy(proxyKey);
  const ir = workloadIr(state, proxyKey, observedHosts);
  if (proxy === undefined || ir === undefined) {
    return undefined;
  }
  const client = clientOf(state, proxyKey);
  const entry = state.workloadEntry(proxyKey);
  const said = (name: string, value: string, path: string, isSaid: boolean): ExplainedValue => ({
    name,
    value,
    origin: isSaid ? originText(proxy, path) : weftDefault,
  });
  const services = state.servicesOfWorkload(proxyKey);
  const rules = new Set(
    ir.clusters.flatMap(({ host }) => {
      const service = state.resolveHost(host, client.namespace, client.namespace);
      return service === undefined ? [] : (state.destinationRuleOf(service, client)?.rules ?? []);
    }),
  );
  const sidecar = client.scope?.sidecar;
  const openedBy =
    sidecar?.spec?.ingress === undefined ? originText(proxy, 'spec.inbound') : originText(sidecar, 'spec.ingress');
  const saidBy = (listen: ListenAddress): string => socketOrigin(state, proxyKey, listen);
  const sections = [
    {
      title: 'proxy',
      values: [
        said('engine', ir.workload.engine, 'spec.engine', proxy.spec.engine !== undefined),
        said('role', proxy.spec.role ?? 'sidecar', 'spec.role', proxy.spec.role !== undefined),
        said('identity', ir.workload.identity, 'spec.serviceAccount', true),
        { name: 'paths', value: ir.pathNormalization, origin: 'setting of the mesh' },
        {
          name: 'locality',
          value: client.locality ?? 'not known',
          origin: entry?.spec.locality === undefined ? '' : originText(entry, 'spec.locality'),
        },
        ...(endpointNames(ir).includes(localClusterName) ? [peersValue(state, proxyKey)] : []),
        ...(ir.httpProxy?.listen === undefined
          ? []
          : [said('HTTP proxy', socketText(ir.httpProxy.listen), 'spec.httpProxy', true)]),
        ...(ir.httpProxy?.alsoAt ?? []).map((listen) => ({
          name: 'HTTP proxy, too',
          value: socketText(listen),
          origin: saidBy(listen),
        })),
      ],
    },
    { title: 'mutual TLS', values: mutualTlsValues(state, client.namespace, client.labels) },
    {
      title: 'takes',
      values: ir.inbound.map(({ name, listen, app, protocol, mutualTls, service }) => ({
        name: `${name} ${socketText(listen)}`,
        value: `${protocol} for the application at ${app.address}:${app.port}, mutual TLS ${mutualTls}`,
        origin: service === undefined ? openedBy : serviceText(services, service.host),
      })),
    },
    {
      title: 'serves',
      values: services.map(({ host, object }) => ({ name: host, value: '', origin: originText(object) })),
    },
    {
      title: 'calls',
      values: [
        ...ir.upstreams.map(({ host, port, listen, kind }) => ({
          name: `${host}:${port}`,
          value: `${kind} at ${socketText(listen)}`,
          origin: saidBy(listen),
        })),
        ...(ir.httpProxy?.virtualHosts ?? ir.grpcTargets ?? []).map(({ authority, routes }) => ({
          name: authority,
          value: routes === undefined ? 'nothing in the mesh has the name' : `${routes.routes.length} routes`,
          origin: routes === undefined ? '' : [...new Set(routes.origins.map(refText))].join(', '),
        })),
      ],
    },
    {
      title: 'listens as a gateway',
      values: ir.gateway.map(({ listen, chains, origins }) => ({
        name: socketText(listen),
        value: chains.map(({ name }) => name).join(', '),
        origin: [...new Set(origins.map(refText).filter((text) => text.startsWith('Gateway ')))].join(', '),
      })),
    },
    {
      title: 'DestinationRules of what it calls',
      values: [...rules].map((rule) => ({
        name: rule.spec?.host ?? '',
        value: rule.spec?.workloadSelector === undefined ? 'for all clients' : 'for clients with its labels',
        origin: originText(rule),
      })),
    },
  ].filter(({ values }) => values.length > 0);
  return {
    subject: `Proxy ${proxyKey}`,
    from: proxyKey,
    sections: [...sections, ...conditionSections(state, [originOf(proxy), ...ir.origins])],
  };
}

/** Whom the proxy takes for its like when it balances by zone. */
function peersValue(state: MeshState, proxyKey: string): ExplainedValue {
  const { endpoints } = localClusterEndpoints(state, proxyKey, clientOf(state, proxyKey));
  const counts = new Map<string, number>();
  for (const { locality } of endpoints) {
    counts.set(locality, (counts.get(locality) ?? 0) + 1);
  }
  const places = [...counts].map(([locality, count]) => `${count} in ${locality === '' ? 'no locality' : locality}`);
  return {
    name: 'peers, for zones',
    value: places.length === 0 ? 'none: no service has the workload' : places.join(', '),
    origin: state
      .servicesOfWorkload(proxyKey)
      .map(({ object }) => originText(object))
      .join(', '),
  };
}

/** The object that declares a service of the workload. */
function serviceText(services: readonly ServiceModel[], host: string): string {
  const found = services.find((service) => service.host === host);
  return found === undefined ? host : originText(found.object);
}
