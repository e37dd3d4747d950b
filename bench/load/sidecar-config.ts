/** One hop of a sidecar as a configuration that stands alone: what the control plane made, with other ports and everything inline. */
import type { Json, JsonValue, KeyPairPem, ResourceSet } from './mesh-resources.ts';

/** Resources of one static proxy in proto3 JSON. References to secrets have the form of ADS; `start-sidecar.ts` puts them into that of the proxy. */
export interface SidecarConfig {
  readonly listeners: readonly Json[];
  readonly clusters: readonly Json[];
  readonly secrets: readonly Json[];
}

/** What a sidecar shows to its peers, and whom it believes. */
export interface Secrets {
  readonly keyPair: KeyPairPem;
  readonly trustBundlePem: string;
}

/** What two sidecars speak with each other. */
export type HttpVersion = 'http1' | 'http2';

/** The hop of a caller's sidecar to one of its upstreams. @throws Error when the control plane did not make what `target` is meant to be. */
export function outboundConfig(
  resources: ResourceSet,
  target: { readonly host: string; readonly port: number; readonly protocol: 'http' | 'tcp' },
  options: {
    readonly listenPort: number;
    readonly endpointPort: number;
    readonly accessLog: string;
    /** What to speak with the endpoint; undefined for what the control plane wrote. */
    readonly between?: HttpVersion;
    readonly secrets: Secrets;
  },
): SidecarConfig {
  const name = `upstream|${target.port}||${target.host}`;
  const clusterName = `outbound|${target.port}||${target.host}`;
  const listener = clone(named(resources.listeners, name));
  const filter = target.protocol === 'http' ? 'HttpConnectionManager' : 'TcpProxy';
  if (!JSON.stringify(listener).includes(`.v3.${filter}"`)) {
    throw new Error(`the control plane made no ${filter} for ${target.host}`);
  }
  setPort(listener, options.listenPort);
  inlineRoutes(listener, resources);
  setAccessLog(listener, options.accessLog);
  const cluster = clone(named(resources.clusters, clusterName));
  const assignment = clone(
    resources.endpoints.find((item) => item['clusterName'] === clusterName) ??
      (isObject(cluster['loadAssignment']) ? cluster['loadAssignment'] : missing(clusterName)),
  );
  setPort(assignment, options.endpointPort);
  delete cluster['edsClusterConfig'];
  cluster['type'] = 'STATIC';
  cluster['loadAssignment'] = assignment;
  if (options.between !== undefined) {
    useHttp(cluster, options.between);
  }
  return { listeners: [listener], clusters: [cluster], secrets: secretsOf(options.secrets) };
}

/** The hop of a called workload's sidecar to its application. */
export function inboundConfig(
  resources: ResourceSet,
  options: {
    readonly listenPort: number;
    readonly appPort: number;
    readonly accessLog: string;
    readonly secrets: Secrets;
  },
): SidecarConfig {
  const listener = clone(
    resources.listeners.find((item) => String(item['name']).startsWith('inbound|')) ?? missing('inbound|…'),
  );
  const cluster = clone(
    resources.clusters.find((item) => String(item['name']).startsWith('inbound|')) ?? missing('inbound|…'),
  );
  setPort(listener, options.listenPort);
  setAccessLog(listener, options.accessLog);
  setPort(cluster, options.appPort);
  return { listeners: [listener], clusters: [cluster], secrets: secretsOf(options.secrets) };
}

/** Makes the cluster speak one version of HTTP, and offer only that by ALPN. */
function useHttp(cluster: Json, version: HttpVersion): void {
  const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  cluster['typedExtensionProtocolOptions'] = {
    [type]: {
      '@type': `type.googleapis.com/${type}`,
      explicitHttpConfig: version === 'http2' ? { http2ProtocolOptions: {} } : { httpProtocolOptions: {} },
    },
  };
  setAlpn(cluster, [version === 'http2' ? 'h2' : 'http/1.1']);
}

function secretsOf(secrets: Secrets): readonly Json[] {
  return [
    {
      name: 'default',
      tlsCertificate: {
        certificateChain: { inlineString: secrets.keyPair.certificatePem },
        privateKey: { inlineString: secrets.keyPair.keyPem },
      },
    },
    { name: 'ROOTCA', validationContext: { trustedCa: { inlineString: secrets.trustBundlePem } } },
  ];
}

/** Replaces where secrets come from, everywhere. @param source undefined for a secret of the same bootstrap, as Envoy has it. */
export function withSecretSource(config: SidecarConfig, source: Json | undefined): SidecarConfig {
  const copy = clone(config);
  for (const item of [...copy.listeners, ...copy.clusters]) {
    walk(item, (object) => {
      if (isObject(object['sdsConfig'])) {
        delete object['sdsConfig'];
        if (source !== undefined) {
          object['sdsConfig'] = source;
        }
      }
    });
  }
  return copy;
}

function inlineRoutes(listener: Json, resources: ResourceSet): void {
  walk(listener, (object) => {
    if (isObject(object['rds'])) {
      object['routeConfig'] = clone(named(resources.routes, String(object['rds']['routeConfigName'])));
      delete object['rds'];
    }
  });
}

function setPort(root: Json, port: number): void {
  walk(root, (object) => {
    if (isObject(object['socketAddress'])) {
      object['socketAddress']['portValue'] = port;
    }
  });
}

function setAccessLog(root: Json, path: string): void {
  walk(root, (object) => {
    if (String(object['@type']).endsWith('.FileAccessLog')) {
      object['path'] = path;
    }
  });
}

function setAlpn(root: Json, protocols: readonly string[]): void {
  walk(root, (object) => {
    if (isObject(object['commonTlsContext'])) {
      object['commonTlsContext']['alpnProtocols'] = [...protocols];
    }
  });
}

function named(list: readonly Json[], name: string): Json {
  return list.find((item) => item['name'] === name) ?? missing(name);
}

function missing(name: string): never {
  throw new Error(`the control plane made no resource ${name}`);
}

function isObject(value: JsonValue | undefined): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function walk(value: JsonValue, visit: (object: Json) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) {
      walk(item, visit);
    }
  } else if (isObject(value)) {
    visit(value);
    for (const item of Object.values(value)) {
      walk(item, visit);
    }
  }
}

function clone<T>(value: T): T {
  return structuredClone(value);
}
