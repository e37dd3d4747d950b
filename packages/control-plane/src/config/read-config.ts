import { readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type LogLevel, MeshError } from '@weft/base';
import { type PathNormalization, pathNormalizations } from '@weft/ir';
import { type DefaultsName, defaultsNameFrom } from '@weft/translate';
import { pathNormalizationFrom } from '../home/mesh-settings.ts';
import type { ControlPlaneConfig } from './config.ts';

const flags = {
  config: { type: 'string' },
  home: { type: 'string' },
  host: { type: 'string' },
  'api-port': { type: 'string' },
  'xds-port': { type: 'string' },
  'join-port': { type: 'string' },
  'page-port': { type: 'string' },
  'trust-domain': { type: 'string' },
  defaults: { type: 'string' },
  'path-normalization': { type: 'string' },
  'certificate-ttl': { type: 'string' },
  'log-level': { type: 'string' },
  'page-folder': { type: 'string' },
} as const;

const logLevels: ReadonlySet<string> = new Set(['debug', 'info', 'warn', 'error']);
const maxConfigBytes = 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The configuration of flags over a JSON file (`--config`) over defaults. The file has the fields of
 * {@link ControlPlaneConfig}. Durations in flags are in seconds or have a unit: `90`, `90s`, `15m`, `24h`.
 * @param args without the program's name.
 * @throws MeshError `BAD_CONFIGURATION`, naming the flag or field.
 */
export function readConfig(args: readonly string[], env: NodeJS.ProcessEnv): ControlPlaneConfig {
  const given = parseFlags(args);
  const file: Fields = given.config === undefined ? {} : readConfigFile(given.config);
  checkKeys(file, '', [
    'home',
    'host',
    'ports',
    'trustDomain',
    'defaults',
    'pathNormalization',
    'certificateTtlMs',
    'logLevel',
    'pageFolder',
    'userName',
    'startGraceMs',
    'disconnectGraceMs',
    'leftoverAfterMs',
  ]);
  const ports = file['ports'] ?? {};
  if (typeof ports !== 'object' || Array.isArray(ports)) {
    throw bad('ports', 'must be an object');
  }
  const filePorts: Fields = { ...ports };
  checkKeys(filePorts, 'ports.', ['api', 'xds', 'join', 'page']);
  const port = (name: string, fallback: number): number => {
    const flag = given[`${name}-port` as keyof typeof given];
    return integer(flag === undefined ? filePorts[name] : Number(flag), `ports.${name}`, fallback, 0, 65_535);
  };
  const pageFolder = given['page-folder'] ?? text(file['pageFolder'], 'pageFolder', '');
  const ttl = given['certificate-ttl'];
  const defaults = given.defaults ?? file['defaults'];
  const paths = given['path-normalization'] ?? file['pathNormalization'];
  return {
    home: resolve(given.home ?? text(file['home'], 'home', env['WEFT_HOME'] ?? join(homedir(), '.weft'))),
    host: given.host ?? text(file['host'], 'host', '127.0.0.1'),
    ports: { api: port('api', 7443), xds: port('xds', 7012), join: port('join', 7011), page: port('page', 7080) },
    trustDomain: given['trust-domain'] ?? text(file['trustDomain'], 'trustDomain', 'cluster.local'),
    certificateTtlMs:
      ttl === undefined
        ? integer(file['certificateTtlMs'], 'certificateTtlMs', 24 * 3_600_000, 5_000, 90 * 24 * 3_600_000)
        : integer(parseDuration(ttl), 'certificate-ttl', 0, 5_000, 90 * 24 * 3_600_000),
    logLevel: logLevel(given['log-level'] ?? text(file['logLevel'], 'logLevel', 'info')),
    userName: text(file['userName'], 'userName', userInfo().username),
    startGraceMs: integer(file['startGraceMs'], 'startGraceMs', 30_000, 0, 3_600_000),
    disconnectGraceMs: integer(file['disconnectGraceMs'], 'disconnectGraceMs', 3_000, 0, 3_600_000),
    leftoverAfterMs: integer(file['leftoverAfterMs'], 'leftoverAfterMs', 300_000, 1_000, 7 * 24 * 3_600_000),
    ...(defaults === undefined ? {} : { defaults: defaultsName(defaults) }),
    ...(paths === undefined ? {} : { pathNormalization: pathMode(paths) }),
    ...(pageFolder === '' ? {} : { pageFolder: resolve(pageFolder) }),
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new MeshError('BAD_CONFIGURATION', error instanceof Error ? error.message : String(error), {
      hint: `Known flags: ${Object.keys(flags)
        .map((name) => `--${name}`)
        .join(', ')}.`,
    });
  }
}

function readConfigFile(path: string): Fields {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new MeshError('BAD_CONFIGURATION', `the configuration file ${path} cannot be read`, { cause: error });
  }
  if (content.length > maxConfigBytes) {
    throw bad(path, `is larger than ${maxConfigBytes} bytes`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch (error) {
    throw new MeshError('BAD_CONFIGURATION', `the configuration file ${path} is not JSON`, { cause: error });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw bad(path, 'must hold a JSON object');
  }
  return { ...parsed };
}

function checkKeys(fields: Fields, prefix: string, known: readonly string[]): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw bad(`${prefix}${unknown}`, `is not a setting; known are ${known.map((key) => prefix + key).join(', ')}`);
  }
}

function text(value: unknown, name: string, fallback: string): string {
  if (value === undefined) {
    return fallback;
  }
  if (typeof value !== 'string' || value === '') {
    throw bad(name, 'must be text');
  }
  return value;
}

function integer(value: unknown, name: string, fallback: number, min: number, max: number): number {
  const number = value ?? fallback;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max) {
    throw bad(name, `must be a whole number between ${min} and ${max}`);
  }
  return number;
}

function logLevel(value: string): LogLevel {
  if (!logLevels.has(value)) {
    throw bad('logLevel', `must be one of ${[...logLevels].join(', ')}`);
  }
  return value as LogLevel;
}

function defaultsName(value: unknown): DefaultsName {
  const name = defaultsNameFrom(value);
  if (name === undefined) {
    throw bad('defaults', 'must be istio or envoy');
  }
  return name;
}

function pathMode(value: unknown): PathNormalization {
  const mode = pathNormalizationFrom(value);
  if (mode === undefined) {
    throw bad('pathNormalization', `must be one of ${pathNormalizations.join(', ')}`);
  }
  return mode;
}

const units: Readonly<Record<string, number>> = { '': 1_000, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseDuration(value: string): number {
  const match = /^(\d+)([smhd]?)$/.exec(value);
  return match === null ? Number.NaN : Number(match[1]) * (units[match[2] ?? ''] ?? Number.NaN);
}

function bad(name: string, what: string): MeshError {
  return new MeshError('BAD_CONFIGURATION', `${name} ${what}`);
}
