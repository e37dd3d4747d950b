import { idField } from './backends.ts';
import type { BackendRequest, Observation } from './configuration.ts';

/** One place where the two proxies do not agree. */
export interface Difference {
  readonly configuration: string;
  /** `status`, `client header location`, `backend 0 header host`, `log details` … */
  readonly what: string;
  readonly envoy: string;
  readonly weft: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Fields of a connection, or with the time of day in them. */
const passing = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date', idField]);

type Fields = Readonly<Record<string, readonly string[]>>;

function comparable(name: string, values: readonly string[] | undefined): string {
  if (values === undefined) {
    return '(absent)';
  }
  if (name === 'x-envoy-upstream-service-time') {
    return values.map((value) => (/^\d+$/.test(value) ? '<ms>' : value)).join(' | ');
  }
  if (name === 'x-request-id') {
    return values.map((value) => (uuid.test(value) && !value.startsWith('11111111') ? '<uuid>' : value)).join(' | ');
  }
  return values.map((value) => (name === 'user-agent' ? value.replace(/^[ew]-/, '') : value)).join(' | ');
}

function compareFields(
  where: string,
  envoy: Fields,
  weft: Fields,
  add: (what: string, e: string, w: string) => void,
): void {
  for (const name of new Set([...Object.keys(envoy), ...Object.keys(weft)])) {
    if (!passing.has(name)) {
      add(`${where} header ${name}`, comparable(name, envoy[name]), comparable(name, weft[name]));
    }
  }
}

/** Everything in which two observations of the same request differ. */
export function compareObservations(configuration: string, envoy: Observation, weft: Observation): Difference[] {
  const differences: Difference[] = [];
  const add = (what: string, e: string, w: string): void => {
    if (e !== w) {
      differences.push({ configuration, what, envoy: e, weft: w });
    }
  };
  add('status', String(envoy.status), String(weft.status));
  if (envoy.status !== 0 || weft.status !== 0) {
    add('body', envoy.body, weft.body);
  }
  compareFields('client', envoy.headers, weft.headers, add);
  const clusters = (requests: readonly BackendRequest[]): string => requests.map(({ cluster }) => cluster).join(' ');
  add('backends', clusters(envoy.backends), clusters(weft.backends));
  envoy.backends.forEach((seen, index) => {
    const other = weft.backends[index];
    if (other !== undefined) {
      add(`backend ${index} method`, seen.method, other.method);
      add(`backend ${index} path`, seen.path, other.path);
      add(`backend ${index} body`, seen.body, other.body);
      compareFields(`backend ${index}`, seen.headers, other.headers, add);
    }
  });
  for (const name of Object.keys(envoy.log)) {
    if (name !== 'id') {
      add(`log ${name}`, envoy.log[name] ?? '', weft.log[name] ?? '');
    }
  }
  return differences;
}
