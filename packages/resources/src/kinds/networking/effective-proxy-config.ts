import type { ProxyConfig } from './proxy-config.ts';

/** Whose settings are asked for. */
interface ProxyWorkload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The ProxyConfig that says how many threads the proxy of a workload has: the oldest of those that select the workload, else of those for
 * its namespace, else of those for all (in the root namespace). undefined: nobody says it.
 */
export function concurrencyConfig(
  configs: readonly ProxyConfig[],
  { namespace, labels }: ProxyWorkload,
  rootNamespace: string,
): ProxyConfig | undefined {
  const oldestFirst = configs
    .filter(({ spec }) => spec?.concurrency !== undefined)
    .toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  const selecting = (config: ProxyConfig): boolean => {
    const wanted = Object.entries(selectorOf(config));
    return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
  };
  const own = oldestFirst.filter(({ metadata }) => metadata.namespace === namespace);
  const root = oldestFirst.filter(({ metadata }) => metadata.namespace === rootNamespace);
  return own.find(selecting) ?? own.find(isForAll) ?? root.find(isForAll);
}

function selectorOf({ spec }: ProxyConfig): Readonly<Record<string, string>> {
  return spec?.selector?.matchLabels ?? {};
}

function isForAll(config: ProxyConfig): boolean {
  return Object.keys(selectorOf(config)).length === 0;
}

function ageOf({ metadata }: ProxyConfig): string {
  return `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
}
