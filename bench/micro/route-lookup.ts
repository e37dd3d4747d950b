/**
 * What the choice of a virtual host and a route costs, and what a new version of a large route configuration. One request head after the
 * other, each timed by itself, against 10,000 virtual hosts with 5 routes each and against one virtual host with 5,000 routes.
 *
 * `node bench/micro/route-lookup.ts [look-ups]`
 */
import { RequestHead } from '@weft/http-codec';
import { seededRandom } from '@weft/testkit';
import { BinaryWriter, typeUrls } from '@weft/xds-types';
import { type CompiledRouteTable, compileRouteTable, findRoute } from '../../packages/proxy/src/route/route-table.ts';
import type { RouteTable } from '../../packages/proxy/src/runtime-config/config.ts';
import { resourceTypes } from '../../packages/proxy/src/runtime-config/from-xds/resource-types.ts';

const lookUps = Number(process.argv[2] ?? 400_000);
const hostCount = 10_000;
const manyRoutes = 5000;

// ---------------------------------------------------------------------------------------------- resources, as bytes

function text(number: number, value: string, into: BinaryWriter): void {
  into.uint32((number << 3) | 2).string(value);
}

function nested(number: number, value: Uint8Array, into: BinaryWriter): void {
  into.uint32((number << 3) | 2).bytes(value);
}

/** A route by prefix, or by path, that forwards. */
function route(kind: 'prefix' | 'path', path: string, cluster: string, headerName = ''): Uint8Array {
  const match = new BinaryWriter();
  text(kind === 'prefix' ? 1 : 2, path, match);
  if (headerName !== '') {
    const header = new BinaryWriter();
    text(1, headerName, header);
    header.uint32((7 << 3) | 0).bool(true);
    nested(6, header.finish(), match);
  }
  const action = new BinaryWriter();
  text(1, cluster, action);
  const result = new BinaryWriter();
  nested(1, match.finish(), result);
  nested(2, action.finish(), result);
  text(14, `${cluster}${path}`, result);
  return result.finish();
}

function virtualHost(name: string, domains: readonly string[], routes: readonly Uint8Array[]): Uint8Array {
  const host = new BinaryWriter();
  text(1, name, host);
  for (const domain of domains) {
    text(2, domain, host);
  }
  for (const entry of routes) {
    nested(3, entry, host);
  }
  return host.finish();
}

function configuration(hosts: readonly Uint8Array[]): Uint8Array {
  const table = new BinaryWriter();
  text(1, 'routes', table);
  for (const host of hosts) {
    nested(2, host, table);
  }
  return table.finish();
}

function smallHost(index: number, extra: readonly Uint8Array[] = []): Uint8Array {
  const name = `service-${index}.namespace-${index % 100}.svc.cluster.local`;
  return virtualHost(
    name,
    [name, `${name}:8080`, `service-${index}.namespace-${index % 100}`],
    [
      ...extra,
      route('path', '/healthz', `c${index}`),
      route('prefix', '/api/v1/', `c${index}`, 'x-canary'),
      route('prefix', '/api/', `c${index}`),
      route('prefix', '/static/', `c${index}`),
      route('prefix', '/', `c${index}`),
    ],
  );
}

// ---------------------------------------------------------------------------------------------- measuring

const routeType = resourceTypes.find(({ typeUrl }) => typeUrl === typeUrls.routeConfiguration);

function decode(bytes: Uint8Array): RouteTable {
  const result = routeType?.decode('routes', bytes);
  if (result === undefined || !('ok' in result)) {
    throw new Error(JSON.stringify(result));
  }
  return result.ok as RouteTable;
}

function timed<T>(work: () => T): readonly [T, number] {
  const start = process.hrtime.bigint();
  const result = work();
  return [result, Number(process.hrtime.bigint() - start) / 1e6];
}

const head = new RequestHead();
head.method = 'GET';
const random = seededRandom(1);
let path = '/';
const subject = {
  head,
  scheme: 'http',
  tls: undefined,
  random,
  get pathOnly() {
    return path;
  },
};

/** Nanoseconds of each look-up, sorted. The strings are new ones each time, as a codec makes them. */
function measure(table: CompiledRouteTable, next: () => readonly [host: string, path: string]): Float64Array {
  const times = new Float64Array(lookUps);
  let found = 0;
  for (let index = 0; index < lookUps; index += 1) {
    const [host, wanted] = next();
    const authority = Buffer.from(host, 'latin1').toString('latin1');
    path = Buffer.from(wanted, 'latin1').toString('latin1');
    head.path = path;
    const start = process.hrtime.bigint();
    const hostFound = table.virtualHostOf(authority);
    const routeFound = hostFound === undefined ? undefined : findRoute(hostFound, subject);
    times[index] = Number(process.hrtime.bigint() - start);
    found += routeFound === undefined ? 0 : 1;
  }
  if (found < lookUps / 2) {
    throw new Error(`only ${found} of ${lookUps} look-ups found a route`);
  }
  return times.sort();
}

function report(title: string, times: Float64Array): void {
  const at = (share: number): string => `${((times[Math.floor(times.length * share)] ?? 0) / 1000).toFixed(2)} µs`;
  process.stdout.write(`${title.padEnd(58)} p50 ${at(0.5)}  p99 ${at(0.99)}  p99.9 ${at(0.999)}\n`);
}

const paths = ['/healthz', '/api/v1/items/7', '/api/v2/x', '/static/logo.png', '/cart/checkout'] as const;
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
const anyHost = (count: number) => (): readonly [string, string] => {
  const index = Math.floor(random() * count);
  return [`service-${index}.namespace-${index % 100}.svc.cluster.local:8080`, pick(paths)];
};

const hosts = Array.from({ length: hostCount }, (_, index) => smallHost(index));
const bytes = configuration(hosts);
const [first, firstMs] = timed(() => decode(bytes));
const [compiled, compileMs] = timed(() => compileRouteTable(first));
process.stdout.write(
  `${hostCount} virtual hosts, ${(bytes.length / 1e6).toFixed(1)} MB: read ${firstMs.toFixed(0)} ms, made ready ${compileMs.toFixed(1)} ms\n`,
);
hosts[17] = smallHost(17, [route('prefix', '/new/', 'c17')]);
const changed = configuration(hosts);
const [second, secondMs] = timed(() => decode(changed));
const [next, nextMs] = timed(() => compileRouteTable(second, compiled));
const shared = second.virtualHosts.filter((host, index) => host === first.virtualHosts[index]).length;
process.stdout.write(
  `one route added: read ${secondMs.toFixed(0)} ms, made ready ${nextMs.toFixed(1)} ms, ${shared} virtual hosts shared\n`,
);

report('1 virtual host of 10,000, first use of most', measure(next, anyHost(hostCount)));
report('1 virtual host of 10,000, in use', measure(next, anyHost(hostCount)));
const few = compileRouteTable(decode(configuration(hosts.slice(0, 10))));
measure(few, anyHost(10));
report('1 virtual host of 10', measure(few, anyHost(10)));

const many = Array.from({ length: manyRoutes }, (_, index) =>
  route(index % 3 === 0 ? 'path' : 'prefix', `/tenant-${index}/api/${index % 7}`, `c${index % 50}`),
);
const large = compileRouteTable(decode(configuration([virtualHost('large', ['large'], many)])));
const inLarge = (): readonly [string, string] => {
  const index = Math.floor(random() * manyRoutes);
  return ['large', `/tenant-${index}/api/${index % 7}${index % 3 === 0 ? '' : '/x'}`];
};
measure(large, inLarge);
report('1 route of 5,000 in a virtual host', measure(large, inLarge));
