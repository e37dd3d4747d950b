/**
 * The parts of the resources that translation reads. Each is a view of the type that `@weft/resources` declares; a field that
 * is not here is not acted upon, and `status/` reports it.
 */
import type { KubeObject } from '@weft/resources';

export type Labels = Readonly<Record<string, string>>;

export interface Service extends KubeObject {
  readonly spec?: {
    readonly type?: string | undefined;
    readonly selector?: Labels | undefined;
    readonly ports?: readonly ServicePort[] | undefined;
  };
}

export interface ServicePort {
  readonly name?: string | undefined;
  readonly port: number;
  readonly targetPort?: number | string | undefined;
  readonly protocol?: string | undefined;
  readonly appProtocol?: string | undefined;
}

export interface EndpointSlice extends KubeObject {
  readonly addressType?: string | undefined;
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[] | undefined;
    readonly conditions?: { readonly ready?: boolean | undefined } | undefined;
    readonly zone?: string | undefined;
    readonly targetRef?: { readonly name?: string | undefined } | undefined;
  }[];
  readonly ports?: readonly { readonly name?: string | undefined; readonly port?: number | undefined }[];
}

export interface WorkloadSpec {
  readonly address?: string | undefined;
  readonly ports?: Readonly<Record<string, number>> | undefined;
  readonly labels?: Labels | undefined;
  readonly locality?: string | undefined;
  readonly weight?: number | undefined;
  readonly serviceAccount?: string | undefined;
}

export interface WorkloadEntry extends KubeObject {
  readonly spec: WorkloadSpec;
  readonly status?: {
    readonly conditions?: readonly { readonly type?: string | undefined; readonly status?: string | undefined }[];
  };
}

export interface ServiceEntry extends KubeObject {
  readonly spec: {
    readonly hosts: readonly string[];
    readonly ports?:
      | readonly {
          readonly number: number;
          readonly name?: string | undefined;
          readonly protocol?: string | undefined;
          readonly targetPort?: number | undefined;
        }[]
      | undefined;
    readonly location?: string | undefined;
    readonly resolution?: string | undefined;
    readonly endpoints?: readonly WorkloadSpec[] | undefined;
    readonly workloadSelector?: { readonly labels?: Labels | undefined } | undefined;
    readonly exportTo?: readonly string[] | undefined;
    readonly subjectAltNames?: readonly string[] | undefined;
  };
}

export interface StringMatchSpec {
  readonly exact?: string | undefined;
  readonly prefix?: string | undefined;
  readonly regex?: string | undefined;
}

export interface DestinationSpec {
  readonly host: string;
  readonly subset?: string | undefined;
  readonly port?: { readonly number?: number | undefined } | undefined;
}

export interface HeadersSpec {
  readonly request?: HeaderOperationsSpec | undefined;
  readonly response?: HeaderOperationsSpec | undefined;
}

export interface HeaderOperationsSpec {
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly add?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
}

/** What a match says about where a request comes from; the same for HTTP and TCP. */
export interface SourceMatchSpec {
  readonly port?: number | undefined;
  readonly sourceLabels?: Labels | undefined;
  readonly sourceNamespace?: string | undefined;
  readonly gateways?: readonly string[] | undefined;
}

export interface HttpMatchSpec extends SourceMatchSpec {
  readonly name?: string | undefined;
  readonly uri?: StringMatchSpec | undefined;
  readonly ignoreUriCase?: boolean | undefined;
  readonly scheme?: StringMatchSpec | undefined;
  readonly method?: StringMatchSpec | undefined;
  readonly authority?: StringMatchSpec | undefined;
  readonly headers?: Readonly<Record<string, StringMatchSpec>> | undefined;
  readonly withoutHeaders?: Readonly<Record<string, StringMatchSpec>> | undefined;
  readonly queryParams?: Readonly<Record<string, StringMatchSpec>> | undefined;
}

export interface HttpDestinationSpec {
  readonly destination: DestinationSpec;
  readonly weight?: number | undefined;
  readonly headers?: HeadersSpec | undefined;
}

export interface RedirectSpec {
  readonly uri?: string | undefined;
  readonly authority?: string | undefined;
  readonly port?: number | undefined;
  readonly derivePort?: string | undefined;
  readonly scheme?: string | undefined;
  readonly redirectCode?: number | undefined;
}

export interface HttpRouteSpec {
  readonly name?: string | undefined;
  readonly match?: readonly HttpMatchSpec[] | undefined;
  readonly route?: readonly HttpDestinationSpec[] | undefined;
  readonly redirect?: RedirectSpec | undefined;
  readonly directResponse?:
    | {
        readonly status: number;
        readonly body?: { readonly string?: string | undefined; readonly bytes?: string | undefined } | undefined;
      }
    | undefined;
  readonly rewrite?:
    | {
        readonly uri?: string | undefined;
        readonly authority?: string | undefined;
        readonly uriRegexRewrite?:
          | { readonly match?: string | undefined; readonly rewrite?: string | undefined }
          | undefined;
      }
    | undefined;
  readonly timeout?: string | undefined;
  readonly retries?:
    | {
        readonly attempts?: number | undefined;
        readonly perTryTimeout?: string | undefined;
        readonly retryOn?: string | undefined;
      }
    | undefined;
  readonly headers?: HeadersSpec | undefined;
}

export interface TcpRouteSpec {
  readonly match?: readonly SourceMatchSpec[] | undefined;
  readonly route?:
    | readonly { readonly destination: DestinationSpec; readonly weight?: number | undefined }[]
    | undefined;
}

export interface VirtualService extends KubeObject {
  readonly spec: {
    readonly hosts?: readonly string[] | undefined;
    readonly gateways?: readonly string[] | undefined;
    readonly http?: readonly HttpRouteSpec[] | undefined;
    readonly tcp?: readonly TcpRouteSpec[] | undefined;
    readonly exportTo?: readonly string[] | undefined;
  };
}

export interface PolicySpec {
  readonly loadBalancer?: { readonly simple?: string | undefined } | undefined;
  readonly connectionPool?:
    | {
        readonly tcp?:
          | {
              readonly maxConnections?: number | undefined;
              readonly connectTimeout?: string | undefined;
              readonly tcpKeepalive?: { readonly time?: string | undefined } | undefined;
            }
          | undefined;
        readonly http?:
          | {
              readonly http1MaxPendingRequests?: number | undefined;
              readonly http2MaxRequests?: number | undefined;
              readonly maxRequestsPerConnection?: number | undefined;
              readonly maxRetries?: number | undefined;
              readonly idleTimeout?: string | undefined;
            }
          | undefined;
      }
    | undefined;
  readonly tls?: { readonly mode?: string | undefined } | undefined;
}

export interface TrafficPolicySpec extends PolicySpec {
  readonly portLevelSettings?:
    | readonly (PolicySpec & { readonly port?: { readonly number?: number | undefined } | undefined })[]
    | undefined;
}

export interface DestinationRule extends KubeObject {
  readonly spec: {
    readonly host: string;
    readonly subsets?:
      | readonly {
          readonly name: string;
          readonly labels?: Labels | undefined;
          readonly trafficPolicy?: TrafficPolicySpec | undefined;
        }[]
      | undefined;
    readonly trafficPolicy?: TrafficPolicySpec | undefined;
    readonly exportTo?: readonly string[] | undefined;
    readonly workloadSelector?: { readonly matchLabels?: Labels | undefined } | undefined;
  };
}

export interface PeerAuthentication extends KubeObject {
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Labels | undefined } | undefined;
    readonly mtls?: { readonly mode?: string | undefined } | undefined;
    readonly portLevelMtls?: Readonly<Record<string, { readonly mode?: string | undefined }>> | undefined;
  };
}

export interface ProxyResource extends KubeObject {
  readonly spec: {
    readonly serviceAccount: string;
    readonly httpProxy?: { readonly address?: string | undefined; readonly port: number } | undefined;
    readonly inbound?: readonly ProxyInbound[] | undefined;
    readonly upstreams?: readonly ProxyUpstream[] | undefined;
    readonly draining?: boolean | undefined;
  };
}

export interface ProxyInbound {
  readonly name: string;
  readonly protocol?: string | undefined;
  readonly address?: string | undefined;
  readonly port: number;
  readonly appAddress?: string | undefined;
  readonly appPort: number;
}

export interface ProxyUpstream {
  readonly host: string;
  readonly port: number;
  readonly listenAddress?: string | undefined;
  readonly listenPort: number;
}

/** Kinds that translation acts upon, by group and kind. */
export interface MeshKinds {
  readonly '/Service': Service;
  readonly 'discovery.k8s.io/EndpointSlice': EndpointSlice;
  readonly 'networking.istio.io/WorkloadEntry': WorkloadEntry;
  readonly 'networking.istio.io/WorkloadGroup': KubeObject;
  readonly 'networking.istio.io/ServiceEntry': ServiceEntry;
  readonly 'networking.istio.io/VirtualService': VirtualService;
  readonly 'networking.istio.io/DestinationRule': DestinationRule;
  readonly 'security.istio.io/PeerAuthentication': PeerAuthentication;
  readonly 'weft.dev/Proxy': ProxyResource;
}

export type MeshKindName = keyof MeshKinds;

/** `group/kind` of an object, whatever its version. */
export function kindNameOf(object: KubeObject): string {
  const slash = object.apiVersion.indexOf('/');
  return `${slash < 0 ? '' : object.apiVersion.slice(0, slash)}/${object.kind}`;
}

/** `namespace/name`; for Proxy objects this is the proxy key, and the key of its WorkloadEntry. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** Sorts the oldest first; of equal age, by namespace and name. */
export function byAge(a: KubeObject, b: KubeObject): number {
  return (
    compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
    compareText(keyOf(a), keyOf(b))
  );
}

/** Order of code units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export const mesh = 'mesh';
