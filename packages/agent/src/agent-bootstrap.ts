import { isAbsolute } from 'node:path';
import { MeshError } from '@weft/base';
import type { WorkloadIdentity } from '@weft/identity';

/** `host:port` taken apart; the host of an IPv6 address is without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The bootstrap file of a sidecar, as far as the agent reads it: the same file that Weft's own proxy is started with. */
export interface AgentBootstrap {
  readonly node: {
    readonly id: string;
    readonly cluster: string;
    readonly metadata: Readonly<Record<string, unknown>>;
    readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  };
  readonly identity: WorkloadIdentity & {
    readonly caAddress: HostPort;
    readonly renewAddress: HostPort;
    readonly serverName: string | undefined;
    readonly trustBundleFile: string;
    readonly tokenFile: string | undefined;
    /** 0: what the CA gives. */
    readonly certificateTtlMs: number;
  };
  readonly xds: { readonly address: HostPort; readonly serverName: string | undefined };
  readonly admin: { readonly address: string; readonly port: number };
  readonly stateDir: string;
  /** The cluster of its peers, by which it balances by zone; undefined: not known. */
  readonly localCluster: string | undefined;
  /** Worker threads; 0: one for each core. */
  readonly concurrency: number;
}

const maxLength = 1024 * 1024;

/** A sidecar serves one workload; two use both cores of a small machine. */
const defaultConcurrency = 2;

type Fields = Readonly<Record<string, unknown>>;

/** @throws MeshError `BAD_CONFIGURATION` that names the field. */
export function parseAgentBootstrap(text: string): AgentBootstrap {
  if (text.length > maxLength) {
    throw bad('', `has more than ${maxLength} characters`);
  }
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch (error) {
    throw bad('', `is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  const root = fields(whole, '');
  const node = fields(root['node'], 'node');
  const locality = fields(node['locality'] ?? {}, 'node.locality');
  const identity = fields(root['identity'], 'identity');
  const xds = fields(root['xds'], 'xds');
  const admin = fields(root['admin'] ?? {}, 'admin');
  return {
    node: {
      id: textField(node, 'node.id'),
      cluster: textField(node, 'node.cluster', ''),
      metadata: fields(node['metadata'] ?? {}, 'node.metadata'),
      locality: {
        region: textField(locality, 'node.locality.region', ''),
        zone: textField(locality, 'node.locality.zone', ''),
        subZone: textField(locality, 'node.locality.subZone', ''),
      },
    },
    identity: {
      trustDomain: textField(identity, 'identity.trustDomain'),
      namespace: textField(identity, 'identity.namespace'),
      serviceAccount: textField(identity, 'identity.serviceAccount'),
      caAddress: hostPort(identity, 'identity.caAddress'),
      renewAddress: hostPort(identity, 'identity.renewAddress'),
      serverName: optional(identity, 'identity.serverName'),
      trustBundleFile: path(textField(identity, 'identity.trustBundleFile'), 'identity.trustBundleFile'),
      tokenFile: optional(identity, 'identity.tokenFile'),
      certificateTtlMs: integer(identity, 'identity.certificateTtlMs', 0),
    },
    xds: { address: hostPort(xds, 'xds.address'), serverName: optional(xds, 'xds.serverName') },
    admin: { address: loopback(textField(admin, 'admin.address', '127.0.0.1')), port: integer(admin, 'admin.port', 0) },
    stateDir: path(textField(root, 'stateDir'), 'stateDir'),
    localCluster: optional(root, 'localCluster'),
    concurrency: integer(root, 'concurrency', defaultConcurrency),
  };
}

function bad(field: string, problem: string): MeshError {
  return new MeshError('BAD_CONFIGURATION', `bootstrap file${field === '' ? '' : `, ${field}`}: ${problem}`, {
    hint: '`weft run` writes this file; do not change it by hand.',
  });
}

function fields(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad(name, 'must be an object');
  }
  return value as Fields;
}

function last(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function textField(from: Fields, name: string, fallback?: string): string {
  const value = from[last(name)] ?? fallback;
  if (typeof value !== 'string' || (value === '' && fallback === undefined)) {
    throw bad(name, 'must be a text');
  }
  return value;
}

function optional(from: Fields, name: string): string | undefined {
  return from[last(name)] === undefined ? undefined : textField(from, name);
}

function integer(from: Fields, name: string, fallback: number): number {
  const value = from[last(name)] ?? fallback;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw bad(name, 'must be a whole number');
  }
  return value;
}

function path(value: string, name: string): string {
  if (!isAbsolute(value)) {
    throw bad(name, 'must be an absolute path');
  }
  return value;
}

function loopback(address: string): string {
  if (address !== '127.0.0.1' && address !== '::1') {
    throw bad('admin.address', 'must be 127.0.0.1 or ::1: the admin API has no login');
  }
  return address;
}

function hostPort(from: Fields, name: string): HostPort {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(textField(from, name));
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw bad(name, 'must be host:port, with an IPv6 address in brackets');
  }
  return { host: match[1] ?? match[2] ?? '', port };
}
