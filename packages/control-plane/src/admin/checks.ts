import type { CheckResult, ProxySummary, ServiceSummary } from '@weft/admin-api';
import { type Clock, MeshError } from '@weft/base';
import type { CertificateAuthority } from '@weft/identity/authority';
import { gvk, type ResourceClient } from '@weft/resources';
import { checkDnsNames, type DnsNameInUse } from './check-dns-names.ts';

const day = 24 * 3_600_000;

export interface CheckSources {
  readonly client: ResourceClient;
  readonly ca: CertificateAuthority;
  readonly clock: Clock;
  readonly services: () => readonly ServiceSummary[];
  readonly proxies: () => readonly ProxySummary[];
  readonly dnsNames: () => readonly DnsNameInUse[];
  readonly translationFailures: () => number;
}

/** What the control plane can find wrong with itself and its mesh. */
export async function runChecks(sources: CheckSources): Promise<readonly CheckResult[]> {
  const proxies = sources.proxies();
  const services = sources.services();
  return [
    await checkStore(sources.client),
    checkAuthority(sources),
    checkTranslation(sources.translationFailures()),
    checkConnected(proxies),
    checkNacks(proxies),
    checkVersions(proxies),
    checkServices(services),
    ...(await checkDnsNames(sources.dnsNames(), sources.clock)),
    ...checkProtocols(services),
  ];
}

async function checkStore(client: ResourceClient): Promise<CheckResult> {
  const check = { id: 'store', title: 'The resource store answers.' };
  try {
    const { items } = await client.list(gvk.namespace);
    return { ...check, outcome: 'ok', message: `${items.length} namespaces` };
  } catch (thrown) {
    const error = MeshError.from(thrown);
    return { ...check, outcome: 'failed', message: error.message, fix: error.hint };
  }
}

function checkAuthority({ ca, clock }: CheckSources): CheckResult {
  const check = { id: 'certificate-authority', title: 'The certificate authority can issue certificates.' };
  const root = ca.trustBundle.value.roots[0];
  const end = Math.min(ca.issuing.notAfter, root?.validToDate.getTime() ?? Number.POSITIVE_INFINITY);
  const left = end - clock.now();
  const message = `the issuing CA is good until ${new Date(ca.issuing.notAfter).toISOString()}`;
  if (left <= 0) {
    return { ...check, outcome: 'failed', message, fix: 'Put the root key back in ca/root/root.key and restart.' };
  }
  const short = left < Math.min(7 * day, ca.leafTtlMs);
  return short
    ? {
        ...check,
        outcome: 'warning',
        message,
        fix: 'See the log of the control plane: it could not be replaced in time.',
      }
    : { ...check, outcome: 'ok', message };
}

function checkTranslation(failures: number): CheckResult {
  const check = { id: 'translation', title: 'Resources are translated for every proxy.' };
  return failures === 0
    ? { ...check, outcome: 'ok', message: 'no failure since the start' }
    : {
        ...check,
        outcome: 'failed',
        message: `${failures} translations failed since the start; those proxies keep their last configuration`,
        fix: 'This is a defect in Weft: please report it with the log of the control plane.',
      };
}

function checkConnected(proxies: readonly ProxySummary[]): CheckResult {
  const check = { id: 'proxies-connected', title: 'All proxies are connected.' };
  const away = proxies.filter(({ connected }) => !connected);
  return away.length === 0
    ? { ...check, outcome: 'ok', message: `${proxies.length} of ${proxies.length}` }
    : {
        ...check,
        outcome: 'warning',
        message: `${away.length} of ${proxies.length} are away: ${names(away)}`,
        fix: 'Look at the log of those sidecars in the logs folder, or delete their Proxy objects if they are gone for good.',
      };
}

function checkNacks(proxies: readonly ProxySummary[]): CheckResult {
  const check = { id: 'proxies-in-sync', title: 'No proxy refuses its configuration.' };
  const refusing = proxies.filter(({ connected, state }) => connected && state === 'NACKED');
  const [first] = refusing;
  return first === undefined
    ? { ...check, outcome: 'ok', message: 'none does' }
    : {
        ...check,
        outcome: 'failed',
        message: `${names(refusing)}: ${first.lastNack?.message ?? 'refused'}`,
        fix: `See \`weft config dump ${first.namespace}/${first.name}\` and the status of the resources named there.`,
      };
}

function checkVersions(proxies: readonly ProxySummary[]): CheckResult {
  const check = { id: 'versions', title: 'Proxies of one engine have one version.' };
  const engines = new Map<string, Set<string>>();
  for (const { engine, version, connected } of proxies) {
    // Of a workload without a proxy it is the version of its own gRPC library.
    if (connected && version !== '' && engine !== 'grpc') {
      engines.set(engine, (engines.get(engine) ?? new Set()).add(version));
    }
  }
  const mixed = [...engines].filter(([, versions]) => versions.size > 1);
  return mixed.length === 0
    ? {
        ...check,
        outcome: 'ok',
        message: [...engines].map(([engine, [version]]) => `${engine} ${version}`).join(', ') || 'none is connected',
      }
    : {
        ...check,
        outcome: 'warning',
        message: mixed.map(([engine, versions]) => `${engine}: ${[...versions].sort().join(', ')}`).join('; '),
        fix: 'Restart the workloads with the older version.',
      };
}

function checkServices(services: readonly ServiceSummary[]): CheckResult {
  const check = { id: 'services-have-endpoints', title: 'Every service has an instance that takes requests.' };
  const empty = services.filter(({ readyInstances }) => readyInstances === 0);
  return empty.length === 0
    ? { ...check, outcome: 'ok', message: `${services.length} services` }
    : {
        ...check,
        outcome: 'warning',
        message: `without a ready instance: ${names(empty)}`,
        fix: 'Start a workload for it, or compare the selector of the Service with the labels of the WorkloadEntries.',
      };
}

/** One result for each port that should declare something else, the contradictions first. */
function checkProtocols(services: readonly ServiceSummary[]): readonly CheckResult[] {
  const advice = services.flatMap(({ namespace, name, ports }) =>
    ports.flatMap((port) => (port.advice === undefined ? [] : [{ subject: `${namespace}/${name}`, ...port.advice }])),
  );
  const check = { id: 'protocols-declared', title: 'Ports declare what their clients speak.' };
  if (advice.length === 0) {
    return [{ ...check, outcome: 'ok', message: 'nothing else was seen' }];
  }
  return advice
    .toSorted((a, b) => Number(b.kind === 'mismatch') - Number(a.kind === 'mismatch'))
    .slice(0, maxNames)
    .map(({ subject, message, fix }) => ({
      ...check,
      title: `service ${subject}`,
      outcome: 'warning',
      message,
      fix: `${fix.charAt(0).toUpperCase()}${fix.slice(1)}.`,
    }));
}

const maxNames = 10;

function names(objects: readonly { readonly namespace: string; readonly name: string }[]): string {
  const shown = objects.slice(0, maxNames).map(({ namespace, name }) => `${namespace}/${name}`);
  return shown.join(', ') + (objects.length > maxNames ? ` and ${objects.length - maxNames} more` : '');
}
