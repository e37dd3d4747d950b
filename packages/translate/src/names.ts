/** Names on the wire and how hosts are written short; docs/architecture.md "Names on the wire". */
import type { Upstream } from '@weft/ir';
import { isUnixAddress } from './unix-address.ts';

/** `outbound|<service port>|<subset>|<host>` */
export function outboundClusterName(port: number, subset: string, host: string): string {
  return `outbound|${port}|${subset}|${host}`;
}

/**
 * What stands in the place of a cluster that there is none of for the client: another name, as routes of its own may lead to a cluster of the
 * host all the same (past the egress of its Sidecar).
 */
export function unreachableName(port: number, host: string): string {
  return `unreachable|${port}||${host}`;
}

/** The parts of an outbound cluster's name; undefined when it is not one. */
export function parseOutboundClusterName(
  name: string,
): { readonly port: number; readonly subset: string; readonly host: string } | undefined {
  const parts = name.split('|');
  const [direction, port, subset, host] = parts;
  if (parts.length !== 4 || direction !== 'outbound' || subset === undefined || host === undefined) {
    return undefined;
  }
  const number = Number(port);
  return Number.isInteger(number) && host !== '' ? { port: number, subset, host } : undefined;
}

/** Name of a load assignment: that of the cluster, and from where it is seen if that makes a difference. */
export function assignmentName(cluster: string, view: string): string {
  return view === '' ? cluster : `${cluster}@${view}`;
}

/** The cluster of a load assignment. Hosts and ports have no `@`. */
export function clusterOfAssignment(name: string): string {
  const at = name.indexOf('@');
  return at < 0 ? name : name.slice(0, at);
}

/** SNI between sidecars; carries what the cluster's name carries in the letters that SNI allows. */
export function outboundSni(port: number, subset: string, host: string): string {
  return `outbound_.${port}_.${subset}_.${host}`;
}

export function inboundClusterName(appPort: number): string {
  return `inbound|${appPort}||`;
}

/** The cluster, and load assignment, of a proxy's own peers: the `localCluster` of the bootstrap files that `weft run` writes. */
export const localClusterName = 'local_cluster';

export const httpProxyName = 'http-proxy';

/** `upstream|<port>||<host>`; for a Unix socket, of which one host may have several: `upstream|unix:///path||<host>`. */
export function upstreamName({ listen, port, host }: Pick<Upstream, 'listen' | 'port' | 'host'>): string {
  return `upstream|${isUnixAddress(listen.address) ? listen.address : port}||${host}`;
}

export function inboundListenerName(port: number): string {
  return `inbound|${port}`;
}

/** `gateway|<address>|<port>` */
export function gatewayListenerName({ address, port }: { readonly address: string; readonly port: number }): string {
  return `gateway|${address}|${port}`;
}

/** `gateway|<port>`, or `gateway|<bind>|<port>`: as Gateways say it, so that the name does not change with where it is opened. */
export function gatewayRoutesName({
  port,
  bind,
}: {
  readonly port: number;
  readonly bind: string | undefined;
}): string {
  return bind === undefined ? `gateway|${port}` : `gateway|${bind}|${port}`;
}

/** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` */
export function spiffeId(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** An id that no workload can have: it keeps a check closed where no identity is known. */
export function noIdentity(trustDomain: string, namespace: string): string {
  return spiffeId(trustDomain, namespace, '');
}

/** Whether an id is {@link noIdentity}. */
export function isNoIdentity(id: string): boolean {
  return id.startsWith('spiffe://') && id.endsWith('/sa/');
}

/** Host of a Service. */
export function serviceHost(name: string, namespace: string, clusterDomain: string): string {
  return `${name}.${namespace}.svc.${clusterDomain}`;
}

/**
 * What `host`, written in a resource or by a workload of `namespace`, may stand for, the likeliest first: as it is, and with what
 * Kubernetes' search list would append. A name without a dot is never a host of its own.
 */
export function hostCandidates(host: string, namespace: string, clusterDomain: string): readonly string[] {
  const lower = (host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase();
  const dots = lower.split('.').length - 1;
  if (lower.startsWith('*') || lower === '') {
    return [lower];
  }
  if (dots === 0) {
    return [serviceHost(lower, namespace, clusterDomain)];
  }
  if (dots === 1) {
    return [lower, `${lower}.svc.${clusterDomain}`];
  }
  return dots === 2 && lower.endsWith('.svc') ? [lower, `${lower}.${clusterDomain}`] : [lower];
}

/** An authority taken apart; undefined when it is malformed, or no host of its own (`*`). IPv6 addresses keep their brackets. */
export function parseAuthority(
  authority: string,
): { readonly host: string; readonly port: number | undefined } | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]@/?#*\s]+)(?::([0-9]{1,5}))?$/i.exec(authority);
  const host = match?.[1];
  if (host === undefined) {
    return undefined;
  }
  const digits = match?.[2];
  const port = digits === undefined ? undefined : Number(digits);
  return port !== undefined && (port < 1 || port > 65_535) ? undefined : { host: host.toLowerCase(), port };
}
