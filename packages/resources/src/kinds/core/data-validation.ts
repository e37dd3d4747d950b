import { isDeepStrictEqual } from 'node:util';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { ConfigMap } from './config-map.ts';
import type { Secret } from './secret.ts';

/** All values of a Secret or ConfigMap together, in bytes (Kubernetes' limit). */
export const dataSizeMaxBytes = 1024 * 1024;
const keyLengthMax = 253;

type Data = Readonly<Record<string, string>>;

function checkKeys(place: Place, data: Data | undefined): void {
  for (const key of Object.keys(data ?? {})) {
    if (key.length > keyLengthMax || !/^[-._a-zA-Z0-9]+$/.test(key) || key === '.' || key.startsWith('..')) {
      place
        .at(key)
        .invalid(
          key,
          'not a valid key',
          `Use letters, digits, \`-\`, \`_\` and \`.\`, at most ${keyLengthMax} of them.`,
        );
    }
  }
}

function checkSize(place: Place, data: Data | undefined, other: Data | undefined): void {
  const size = (values: Data | undefined, encoding: BufferEncoding): number =>
    Object.values(values ?? {}).reduce((sum, value) => sum + Buffer.byteLength(value, encoding), 0);
  const total = size(data, 'utf8') + size(other, 'base64');
  if (total > dataSizeMaxBytes) {
    place.report(
      'TooLarge',
      `the values have ${total} bytes together, at most ${dataSizeMaxBytes} are allowed`,
      'Split the object.',
    );
  }
}

const neededKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/dockercfg', ['.dockercfg']],
]);

export function validateSecret(secret: Secret): Violation[] {
  const root = Place.root();
  const place = root.at('data');
  checkKeys(place, secret.data);
  checkKeys(root.at('stringData'), secret.stringData);
  checkSize(place, undefined, secret.data);
  for (const key of neededKeys.get(secret.type ?? '') ?? []) {
    if (secret.data?.[key] === undefined) {
      place.at(key).required(`a secret of type ${secret.type} needs it`, `Add ${key}.`);
    }
  }
  return root.violations;
}

export function validateSecretUpdate(secret: Secret, previous: Secret): Violation[] {
  const root = Place.root();
  if (secret.type !== previous.type) {
    root
      .at('type')
      .forbidden(`it is ${previous.type ?? 'Opaque'} and cannot be changed`, 'Delete the secret and create it anew.');
  }
  checkImmutable(root, secret, previous, ['data']);
  return root.violations;
}

export function validateConfigMap(configMap: ConfigMap): Violation[] {
  const root = Place.root();
  checkKeys(root.at('data'), configMap.data);
  checkKeys(root.at('binaryData'), configMap.binaryData);
  for (const key of Object.keys(configMap.binaryData ?? {})) {
    if (configMap.data?.[key] !== undefined) {
      root.at('binaryData', key).duplicate(key, 'Keep the key in either data or binaryData.');
    }
  }
  checkSize(root.at('data'), configMap.data, configMap.binaryData);
  return root.violations;
}

export function validateConfigMapUpdate(configMap: ConfigMap, previous: ConfigMap): Violation[] {
  const root = Place.root();
  checkImmutable(root, configMap, previous, ['data', 'binaryData']);
  return root.violations;
}

interface MaybeImmutable {
  readonly immutable?: boolean | undefined;
}

function checkImmutable<T extends MaybeImmutable>(
  root: Place,
  now: T,
  before: T,
  fields: readonly (keyof T & string)[],
): void {
  if (before.immutable !== true) {
    return;
  }
  const fix = 'Delete the object and create it anew.';
  if (now.immutable !== true) {
    root.at('immutable').forbidden('it is true and cannot be taken back', fix);
  }
  for (const field of fields) {
    if (!isDeepStrictEqual(now[field], before[field])) {
      root.at(field).forbidden('the object is immutable', fix);
    }
  }
}
