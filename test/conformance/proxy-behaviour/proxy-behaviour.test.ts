import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { RequestHead } from '@weft/http-codec';
import { conformanceData, eventually, peerSkip, seededRandom } from '@weft/testkit';
import { chooseCluster, compileRouteTable, findRoute } from '../../../packages/proxy/src/route/route-table.ts';
import { runtimeConfigFromStatic } from '../../../packages/proxy/src/runtime-config/static-resources.ts';
import { Backends } from '../../differential/support/backends.ts';
import { type Answer, createClient } from '../../differential/support/client.ts';
import type { BackendRequest, Configuration, GeneratedRequest } from '../../differential/support/configuration.ts';
import { clusterResource } from '../../differential/support/resources.ts';
import { EnvoySide, type Side, WeftSide } from '../../differential/support/sides.ts';
import {
  clustersOf,
  type HeaderExpectation,
  manager,
  type Row,
  readRoutes,
  readRows,
  requestOf,
  tableNames,
} from './rows.ts';

/** The public routing rows, through our proxy and through Envoy: both must do what the row says. */

const { folder, skip } = conformanceData('proxy-behaviour');

function checkHeaders(
  expected: readonly HeaderExpectation[] | undefined,
  find: (name: string) => string | undefined,
): void {
  for (const { name, exact, absent, range } of expected ?? []) {
    const value = find(name);
    if (absent === true) {
      assert.equal(value, undefined, name);
    } else if (range === undefined) {
      assert.equal(value, exact, name);
    } else {
      assert.ok(Number(value) >= range[0] && Number(value) < range[1], `${name}: ${value}`);
    }
  }
}

interface Seen {
  readonly answer: Answer;
  readonly backend: BackendRequest | undefined;
  readonly log: Readonly<Record<string, string>>;
}

function check({ expect }: Row, { answer, backend, log }: Seen): void {
  if (expect.status !== undefined) {
    assert.equal(answer.status, expect.status);
  }
  if (expect.cluster !== undefined) {
    assert.equal(backend?.cluster ?? null, expect.cluster);
  }
  if (expect.virtual_cluster !== undefined) {
    // The one for all others has a name in counters only.
    const name = log['virtualCluster'];
    assert.equal(name === '-' || name === undefined ? 'other' : name, expect.virtual_cluster);
  }
  if (expect.path !== undefined) {
    assert.equal(backend?.path, expect.path);
  }
  if (expect.host !== undefined) {
    assert.equal(backend?.headers['host']?.[0], expect.host);
  }
  if (expect.redirect !== undefined) {
    assert.equal(answer.headers['location']?.[0] ?? null, expect.redirect);
    if (expect.redirect !== null) {
      assert.equal(answer.status, 301);
    }
  }
  checkHeaders(expect.response_headers, (name) => answer.headers[name]?.join());
  checkHeaders(expect.request_headers, (name) => {
    switch (name) {
      case ':authority':
        return backend?.headers['host']?.[0];
      case ':path':
        return backend?.path;
      case ':method':
        return backend?.method;
      default:
        return backend?.headers[name.toLowerCase()]?.join();
    }
  });
}

describe('routing rows', { skip: skip || peerSkip('envoy') }, () => {
  const backends = new Backends();
  const sides: Side[] = [];
  let configurations: Configuration[] = [];

  before(async () => {
    configurations = tableNames.map((name) => {
      const routes = readRoutes(folder, name);
      const generate = (): GeneratedRequest => ({ method: 'GET', path: '/', host: 'a', headers: [] });
      return { name, manager, routes, clusters: clustersOf(routes), generate };
    });
    const names = [...new Set(configurations.flatMap(({ clusters }) => clusters.map(String)))];
    await Promise.all(names.map((name) => backends.add({ name })));
    const clusters = names.map((name) => clusterResource({ name }, backends.ports.get(name) ?? []));
    sides.push(await WeftSide.start(configurations, clusters));
    sides.push(await EnvoySide.start(configurations, clusters));
  });

  after(async () => {
    await Promise.all(sides.map((side) => side.close()));
    await backends.close();
  });

  async function send(side: Side, table: string, requests: readonly GeneratedRequest[]): Promise<Seen[]> {
    const client = createClient('http1', side.port(table));
    const ids = requests.map((_, index) => `${side.letter}-${table}-${index}`);
    const answers: Answer[] = [];
    try {
      for (const [index, request] of requests.entries()) {
        answers.push(await client.send(request, ids[index] ?? ''));
      }
    } finally {
      client.close();
    }
    await eventually(
      async () => {
        await side.refresh();
        return ids.every((id) => side.log(id) !== undefined);
      },
      { what: 'every request is in the log' },
    );
    return answers.map((answer, index) => ({
      answer,
      backend: backends.seen(ids[index] ?? '')[0],
      log: side.log(ids[index] ?? '') ?? {},
    }));
  }

  for (const table of tableNames) {
    test(table, async (t) => {
      const rows = readRows(folder, table).filter(({ input }) => input.random_value === undefined);
      assert.ok(rows.length > 0);
      for (const side of sides) {
        const seen = await send(side, table, rows.map(requestOf));
        for (const [index, row] of rows.entries()) {
          await t.test(`${row.id} (${side.letter === 'w' ? 'ours' : 'Envoy'})`, () => check(row, seen[index] as Seen));
        }
      }
    });
  }

  test('shares of weighted clusters, through both', async () => {
    const requests = Array.from({ length: 1500 }, () => ({
      method: 'GET',
      path: '/',
      host: 'www1.lyft.com',
      headers: [],
    }));
    for (const side of sides) {
      backends.forget();
      const seen = await send(side, 'Weighted', requests);
      for (const [cluster, share] of [
        ['cluster1', 0.3],
        ['cluster2', 0.3],
        ['cluster3', 0.4],
      ] as const) {
        const found = seen.filter(({ backend }) => backend?.cluster === cluster).length / seen.length;
        assert.ok(Math.abs(found - share) < 0.05, `${side.letter} ${cluster}: ${found}`);
      }
    }
  });
});

describe('weighted rows, the router as a function', { skip }, () => {
  const result = runtimeConfigFromStatic({
    listeners: [],
    clusters: [],
    routes: skip === false ? [{ name: 'Weighted', ...readRoutes(folder, 'Weighted') }] : [],
    endpoints: [],
    secrets: [],
  });
  const config = 'ok' in result ? result.ok.routes.get('Weighted') : undefined;

  function routeOf({ authority, path }: Row['input']): NonNullable<ReturnType<typeof findRoute>> {
    assert.ok(config !== undefined, JSON.stringify(result));
    const head = new RequestHead();
    head.path = path;
    head.authority = authority;
    const host = compileRouteTable(config).virtualHostOf(authority);
    assert.ok(host !== undefined);
    const route = findRoute(host, { head, scheme: 'http', pathOnly: path, tls: undefined, random: Math.random });
    assert.ok(route !== undefined);
    return route;
  }

  for (const { id, input, expect } of skip === false ? readRows(folder, 'Weighted') : []) {
    const { random_value: random } = input;
    if (random !== undefined) {
      test(id, () => {
        const route = routeOf(input);
        assert.equal(chooseCluster(route, random % route.totalWeight)?.config.cluster, expect.cluster);
      });
    }
  }

  test('10,000 choices fall within 2 points of 30, 30 and 40 percent', () => {
    const route = routeOf({ authority: 'www2.lyft.com', path: '/', method: 'GET' });
    const random = seededRandom(7);
    const counts = new Map<string, number>();
    for (let index = 0; index < 10_000; index += 1) {
      const name = chooseCluster(route, random() * route.totalWeight)?.config.cluster ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    for (const [cluster, share] of [
      ['cluster1', 3000],
      ['cluster2', 3000],
      ['cluster3', 4000],
    ] as const) {
      assert.ok(Math.abs((counts.get(cluster) ?? 0) - share) < 200, `${cluster}: ${counts.get(cluster)}`);
    }
  });
});
