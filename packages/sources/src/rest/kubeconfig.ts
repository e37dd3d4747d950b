import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MeshError } from '@weft/base';
import { parse } from 'yaml';
import type { ApiConnection } from './connection.ts';

/** Largest kubeconfig that is read. */
const maxBytes = 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the connection of a kubeconfig's context. What would weaken the connection or start other programs (`exec`,
 * `auth-provider`, `insecure-skip-tls-verify`, basic authentication) is refused, not ignored.
 * @param context default: the current one.
 * @throws MeshError `BAD_CONFIGURATION`, naming file and field.
 */
export function readKubeconfig(path: string, context?: string): ApiConnection {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new MeshError('BAD_CONFIGURATION', `the kubeconfig ${path} cannot be read`, { cause: error });
  }
  if (text.length > maxBytes) {
    throw bad(path, `is larger than ${maxBytes} bytes`);
  }
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 10 });
  } catch (error) {
    throw new MeshError('BAD_CONFIGURATION', `the kubeconfig ${path} is not YAML`, { cause: error });
  }
  const config = fields(document);
  const chosen = context ?? string(config['current-context']);
  const entry = named(path, config, 'contexts', 'context', chosen);
  const cluster = named(path, config, 'clusters', 'cluster', string(entry['cluster']));
  const user = named(path, config, 'users', 'user', string(entry['user']));
  for (const [from, name] of [
    [cluster, 'insecure-skip-tls-verify'],
    [cluster, 'proxy-url'],
    [user, 'exec'],
    [user, 'auth-provider'],
    [user, 'username'],
    [user, 'password'],
    [user, 'as'],
  ] as const) {
    if (from[name] !== undefined && from[name] !== false) {
      throw bad(path, `uses ${name}, which is not supported`);
    }
  }
  const server = string(cluster['server']);
  if (!URL.canParse(server) || new URL(server).protocol !== 'https:') {
    throw bad(path, 'needs clusters[].cluster.server with an https address');
  }
  const material = (from: Fields, name: string): string | undefined => readMaterial(path, from, name);
  const caPem = material(cluster, 'certificate-authority');
  const clientCertificatePem = material(user, 'client-certificate');
  const clientKeyPem = material(user, 'client-key');
  const serverName = cluster['tls-server-name'];
  const token = readToken(path, user);
  return {
    server,
    ...(caPem === undefined ? {} : { caPem }),
    ...(typeof serverName === 'string' ? { serverName } : {}),
    ...(clientCertificatePem === undefined ? {} : { clientCertificatePem }),
    ...(clientKeyPem === undefined ? {} : { clientKeyPem }),
    ...(token === undefined ? {} : { token }),
  };
}

function named(path: string, config: Fields, list: string, kind: string, name: string): Fields {
  const items = config[list];
  const found = Array.isArray(items) ? items.map(fields).find((item) => item['name'] === name) : undefined;
  if (found === undefined) {
    throw bad(path, `has no ${kind} ${JSON.stringify(name)}`);
  }
  return fields(found[kind]);
}

/** `<name>-data` in base64, or the path of a file in `<name>`, relative to the kubeconfig. */
function readMaterial(path: string, from: Fields, name: string): string | undefined {
  const data = from[`${name}-data`];
  if (typeof data === 'string' && data !== '') {
    return Buffer.from(data, 'base64').toString('utf8');
  }
  const file = from[name];
  if (typeof file !== 'string' || file === '') {
    return undefined;
  }
  const at = resolve(dirname(path), file);
  try {
    return readFileSync(at, 'utf8');
  } catch (error) {
    throw new MeshError('BAD_CONFIGURATION', `${at}, named by ${path}, cannot be read`, { cause: error });
  }
}

function readToken(path: string, user: Fields): (() => string) | undefined {
  const { token, tokenFile } = user;
  if (typeof tokenFile === 'string' && tokenFile !== '') {
    const at = resolve(dirname(path), tokenFile);
    return () => readFileSync(at, 'utf8').trim();
  }
  return typeof token === 'string' && token !== '' ? () => token : undefined;
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function bad(path: string, what: string): MeshError {
  return new MeshError('BAD_CONFIGURATION', `the kubeconfig ${path} ${what}`);
}
