import type { EdgeList, Overview, ProxySummary, RecentError, VersionInfo } from '@weft/admin-api';
import type { Clock } from '@weft/base';
import type { CertificateAuthority } from '@weft/identity/authority';
import type { ResourceClient } from '@weft/resources';
import type { TrafficHistory } from '@weft/telemetry';
import { explainName, explainRequest } from '@weft/translate';
import type { Metrics } from '../mesh/metrics.ts';
import type { SeenProtocols } from '../mesh/seen-protocols.ts';
import type { RecentErrors } from '../status/recent-errors.ts';
import { dnsNamesOf } from './check-dns-names.ts';
import { runChecks } from './checks.ts';
import { detailProxy, dumpProxy, type ProxySources, summarizeProxy } from './proxy-summary.ts';
import type { AdminQueries } from './queries.ts';
import { trafficOf } from './rates.ts';
import { summarizeServices } from './services.ts';

export interface MeshQueriesOptions extends ProxySources {
  readonly client: ResourceClient;
  readonly ca: CertificateAuthority;
  readonly history: TrafficHistory;
  readonly seenProtocols: SeenProtocols;
  readonly errors: RecentErrors;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly version: () => VersionInfo;
  readonly translationFailures: () => number;
}

const maxErrors = 20;

/** Answers the admin API from what the control plane has in memory. */
export function createMeshQueries(options: MeshQueriesOptions): AdminQueries {
  const { state, history, seenProtocols, errors, ca, clock, metrics, trustDomain } = options;
  const proxies = (): readonly ProxySummary[] => state.proxyKeys().flatMap((key) => summarizeProxy(options, key) ?? []);
  const failingCalls = (windowSeconds: number): readonly RecentError[] =>
    history.edges(windowSeconds * 1_000).flatMap(({ caller, destination, rates }) =>
      rates.failed === 0
        ? []
        : [
            {
              at: new Date(clock.now()).toISOString(),
              kind: 'requests' as const,
              subject: `${destination.host}:${destination.port}`,
              message: `${rates.failed} of ${rates.succeeded + rates.failed} requests of ${caller.namespace}/${caller.name} failed in the last ${windowSeconds} s`,
            },
          ],
    );
  return {
    version: options.version,
    overview(windowSeconds): Overview {
      const all = proxies();
      const services = summarizeServices(state, history, seenProtocols, windowSeconds * 1_000);
      return {
        at: new Date(clock.now()).toISOString(),
        windowSeconds,
        trustDomain,
        defaults: state.settings.defaults,
        services,
        proxies: {
          total: all.length,
          connected: all.filter(({ connected }) => connected).length,
          synced: all.filter((proxy) => proxy.state === 'SYNCED').length,
        },
        errors: [...failingCalls(windowSeconds), ...errors.list(maxErrors)].slice(0, maxErrors),
      };
    },
    proxies: () => ({ proxies: proxies() }),
    proxy: (proxyKey) => detailProxy(options, proxyKey),
    configDump: (proxyKey, filter) => dumpProxy(options, proxyKey, filter),
    explain: (proxyKey, request) => explainRequest(state, proxyKey, options.observed.authorities(proxyKey), request),
    explainName: (asked) => explainName(state, asked, (proxyKey) => options.observed.authorities(proxyKey)),
    edges(windowSeconds): EdgeList {
      return {
        at: new Date(clock.now()).toISOString(),
        windowSeconds,
        edges: history.edges(windowSeconds * 1_000).map(({ caller, destination, rates }) => ({
          source: caller,
          destination,
          traffic: trafficOf(rates),
        })),
      };
    },
    async checks() {
      return {
        checks: await runChecks({
          client: options.client,
          ca,
          clock,
          services: () => summarizeServices(state, history, seenProtocols, 60_000),
          proxies,
          dnsNames: () => dnsNamesOf(state),
          translationFailures: options.translationFailures,
        }),
      };
    },
    trustBundle() {
      const { pem, version } = ca.trustBundle.value;
      return { trustDomain, pem, version };
    },
    metrics: () => metrics.render(),
  };
}
