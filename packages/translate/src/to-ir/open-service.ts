import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';

/**
 * A host that the mesh does not know, for a workload whose Sidecar lets it reach any (`ALLOW_ANY`): what DNS says it is. Only names that
 * can be outside: with a dot, not below the mesh's own domain, and no addresses, so that nothing on this machine or its link is reached
 * by writing it. undefined: it may not.
 */
export function openService(
  state: MeshState,
  client: Client,
  host: string,
  port: number,
  protocol: ServicePortModel['protocol'],
): ServiceModel | undefined {
  const name = host.toLowerCase();
  const { scope } = client;
  if (scope?.allowAny !== true || !isOutside(name, state.settings.clusterDomain)) {
    return undefined;
  }
  return state.memo.get(
    `open|${name}|${port}|${protocol}|${client.namespace}`,
    [scope] as const,
    ([{ sidecar, origin, through }]): ServiceModel => ({
      host: name,
      name,
      namespace: client.namespace,
      ports: [{ name: '', number: port, protocol, declared: false, targetPort: port }],
      objectKey: `open/${name}:${port}`,
      object: sidecar,
      discovery: 'dns',
      firstAddressOnly: true,
      prefers: undefined,
      nearFirst: false,
      alias: undefined,
      ...(through === undefined ? {} : { through }),
      external: true,
      selector: undefined,
      inlineEndpoints: [{ address: name }],
      subjectAltNames: [],
      exportTo: undefined,
      origin,
    }),
  );
}

/** A host whose last label is a number is an IPv4 address in one of its spellings. */
function isOutside(name: string, clusterDomain: string): boolean {
  return (
    /^[a-z0-9_]([a-z0-9_.-]*\.)[a-z][a-z0-9-]*$/.test(name) &&
    !name.endsWith(`.${clusterDomain}`) &&
    !name.endsWith('.svc') &&
    !name.endsWith('.localhost')
  );
}
