import { isAbsolute } from 'node:path';
import { formatWorkloadId } from '@weft/identity';
import { overloadFrom } from '../overload/parse-overload.ts';
import type { JsonObject } from '../runtime-config/wire/schema.ts';
import type {
  AdminAddress,
  Bootstrap,
  BootstrapViolation,
  HostPort,
  IdentityBootstrap,
  StaticResources,
  XdsBootstrap,
} from './bootstrap.ts';
import { FieldReader } from './field-reader.ts';

export type BootstrapResult = { readonly ok: Bootstrap } | { readonly violations: readonly BootstrapViolation[] };

/** Largest bootstrap file, characters. Static resources may be in it. */
export const MAX_BOOTSTRAP_LENGTH = 8 * 1024 * 1024;

const DEFAULT_DRAIN_TIMEOUT_MS = 30_000;
const DEFAULT_WARMING_TIMEOUT_MS = 15_000;
const MAX_TIMEOUT_MS = 3_600_000;

/** Reads the bootstrap file's text; all mistakes at once. */
export function parseBootstrap(text: string): BootstrapResult {
  const violations: BootstrapViolation[] = [];
  const whole = parseJsonObject(text, violations);
  if (whole === undefined) {
    return { violations };
  }
  const root = new FieldReader(whole, '', violations);
  const bootstrap: Bootstrap = {
    node: nodeFrom(root),
    identity: identityFrom(root),
    xds: xdsFrom(root),
    admin: adminFrom(root),
    stateDir: absolutePath(root, 'stateDir', root.string('stateDir')),
    logLevel: root.choice('logLevel', ['debug', 'info', 'warn', 'error'], 'info'),
    localCluster: root.optionalString('localCluster'),
    drainTimeoutMs: root.integer('drainTimeoutMs', 0, MAX_TIMEOUT_MS, DEFAULT_DRAIN_TIMEOUT_MS),
    warmingTimeoutMs: root.integer('warmingTimeoutMs', 1, MAX_TIMEOUT_MS, DEFAULT_WARMING_TIMEOUT_MS),
    overload: overloadFrom(root),
    static: staticFrom(root),
  };
  root.refuseUnknown();
  if (bootstrap.xds === undefined && bootstrap.static === undefined) {
    root.violate(
      '',
      'neither xds nor static is set',
      'Set xds.address, or static for a proxy without a control plane.',
    );
  }
  if (bootstrap.xds !== undefined && bootstrap.static !== undefined) {
    root.violate('static', 'is set beside xds', 'Remove one of the two.');
  }
  if (bootstrap.xds !== undefined && bootstrap.identity === undefined) {
    root.violate('identity', 'is required with xds', 'A control plane talks to authenticated workloads only.');
  }
  return violations.length === 0 ? { ok: bootstrap } : { violations };
}

function parseJsonObject(text: string, violations: BootstrapViolation[]): JsonObject | undefined {
  const violate = (message: string, fix: string): undefined => {
    violations.push({ path: '', message, fix });
  };
  if (text.length > MAX_BOOTSTRAP_LENGTH) {
    return violate(`has ${text.length} characters`, `Keep it below ${MAX_BOOTSTRAP_LENGTH}.`);
  }
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : violate('is not a JSON object', 'Write {…}.');
  } catch (thrown) {
    return violate(`is not JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}`, 'Mend the syntax.');
  }
}

function nodeFrom(root: FieldReader): Bootstrap['node'] {
  const node = root.object('node');
  const none = { id: '', cluster: '', metadata: {}, locality: { region: '', zone: '', subZone: '' } };
  if (node === undefined) {
    root.violate('node', 'is required', 'Set node.id to <namespace>/<name>.');
    return none;
  }
  const locality = node.object('locality');
  const result = {
    id: node.string('id'),
    cluster: node.string('cluster', ''),
    metadata: node.plainObject('metadata') ?? {},
    locality: {
      region: locality?.string('region', '') ?? '',
      zone: locality?.string('zone', '') ?? '',
      subZone: locality?.string('subZone', '') ?? '',
    },
  };
  locality?.refuseUnknown();
  node.refuseUnknown();
  return result;
}

function identityFrom(root: FieldReader): IdentityBootstrap | undefined {
  const identity = root.object('identity');
  if (identity === undefined) {
    return undefined;
  }
  const tokenFile = identity.optionalString('tokenFile');
  const ttlMs = identity.integer('certificateTtlMs', 1000, 365 * 86_400_000, 0);
  const result: IdentityBootstrap = {
    trustDomain: identity.string('trustDomain'),
    namespace: identity.string('namespace'),
    serviceAccount: identity.string('serviceAccount'),
    caAddress: hostPort(identity, 'caAddress'),
    renewAddress: hostPort(identity, 'renewAddress'),
    serverName: identity.optionalString('serverName'),
    trustBundleFile: absolutePath(identity, 'trustBundleFile', identity.string('trustBundleFile')),
    tokenFile: tokenFile === undefined ? undefined : absolutePath(identity, 'tokenFile', tokenFile),
    certificateTtlMs: ttlMs === 0 ? undefined : ttlMs,
  };
  identity.refuseUnknown();
  try {
    formatWorkloadId(result);
  } catch (thrown) {
    identity.violate('', thrown instanceof Error ? thrown.message : String(thrown), 'Use the names of the mesh.');
  }
  return result;
}

function xdsFrom(root: FieldReader): XdsBootstrap | undefined {
  const xds = root.object('xds');
  if (xds === undefined) {
    return undefined;
  }
  const result: XdsBootstrap = {
    address: hostPort(xds, 'address'),
    serverName: xds.optionalString('serverName'),
    variant: xds.choice('variant', ['delta', 'sotw'], 'delta'),
  };
  xds.refuseUnknown();
  return result;
}

function adminFrom(root: FieldReader): AdminAddress {
  const admin = root.object('admin');
  if (admin === undefined) {
    return { kind: 'tcp', address: '127.0.0.1', port: 0 };
  }
  const path = admin.optionalString('path');
  const address = admin.string('address', '127.0.0.1');
  const port = admin.integer('port', 0, 65_535, 0);
  if (path !== undefined && (admin.value('address') !== undefined || admin.value('port') !== undefined)) {
    admin.violate('path', 'is set beside address and port', 'Use a Unix socket or a port.');
  }
  if (address !== '127.0.0.1' && address !== '::1') {
    admin.violate('address', `is ${JSON.stringify(address)}`, 'Use 127.0.0.1 or ::1: the admin API has no login.');
  }
  admin.refuseUnknown();
  return path === undefined
    ? { kind: 'tcp', address, port }
    : { kind: 'pipe', path: absolutePath(admin, 'path', path) };
}

function staticFrom(root: FieldReader): StaticResources | undefined {
  const reader = root.object('static');
  if (reader === undefined) {
    return undefined;
  }
  const result: StaticResources = {
    listeners: reader.objects('listeners'),
    clusters: reader.objects('clusters'),
    routes: reader.objects('routes'),
    endpoints: reader.objects('endpoints'),
    secrets: reader.objects('secrets'),
  };
  reader.refuseUnknown();
  return result;
}

function absolutePath(reader: FieldReader, key: string, path: string): string {
  if (path !== '' && !isAbsolute(path)) {
    reader.violate(key, `is ${JSON.stringify(path)}`, 'Use an absolute path.');
  }
  return path;
}

/** `127.0.0.1:7012`, `[::1]:7012`, `name:7012` */
function hostPort(reader: FieldReader, key: string): HostPort {
  const text = reader.string(key);
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (text === '') {
    return { host: '', port: 0 };
  }
  if (match === null || port < 1 || port > 65_535) {
    reader.violate(key, `is ${JSON.stringify(text)}`, 'Write host:port, with an IPv6 address in brackets.');
    return { host: '', port: 0 };
  }
  return { host: match[1] ?? match[2] ?? '', port };
}
