import type { RouteFilterConfigs, WeightedCluster } from '../config.ts';
import type { SubsetCriteria } from '../subsets.ts';
import type { Problems } from '../wire/problems.ts';
import { type HeaderEditFields, headerEditsFromXds, noHeaderEdits } from './header-edits.ts';
import { clusterNameFromXds } from './mirror-policy.ts';

interface Entry {
  readonly name: string;
  readonly weight: number;
  readonly edits: HeaderEditFields | undefined;
  readonly clusterHeader?: string;
  readonly hostRewrite?: string | undefined;
  readonly filterConfigs?: RouteFilterConfigs;
  readonly subset?: SubsetCriteria | undefined;
}

/** One cluster with all of the weight. */
export function singleCluster(cluster: string, subset?: SubsetCriteria): WeightedCluster[] {
  return [{ cluster, weight: 1, headers: noHeaderEdits, ...subsetField(subset) }];
}

/** The cluster that a request field names. */
export function clusterOfHeader(clusterHeader: string, subset?: SubsetCriteria): WeightedCluster[] {
  return [{ cluster: '', clusterHeader, weight: 1, headers: noHeaderEdits, ...subsetField(subset) }];
}

function subsetField(subset: SubsetCriteria | undefined): Pick<WeightedCluster, 'subset'> {
  return subset === undefined ? {} : { subset };
}

/** A weighted list; the weights must not sum up to nothing, nor to more than Envoy's 2^32 - 1. */
export function weightedClustersFrom(entries: readonly Entry[], problems: Problems): WeightedCluster[] {
  if (entries.length === 0) {
    problems.add('at least one cluster is required', 'clusters');
  }
  const clusters = problems.each('clusters', entries, (entry): WeightedCluster => {
    const { name, weight, edits, clusterHeader = '', hostRewrite = '', filterConfigs } = entry;
    if (clusterHeader !== '') {
      clusterNameFromXds(name, clusterHeader, problems);
    } else if (name === '') {
      problems.add('required', 'name');
    }
    if (/[\0\r\n]/.test(hostRewrite)) {
      problems.add('holds a line break', 'host_rewrite_literal');
    }
    return {
      cluster: name,
      weight,
      headers: edits === undefined ? noHeaderEdits : headerEditsFromXds(edits, problems),
      ...(clusterHeader === '' ? {} : { clusterHeader: clusterHeader.toLowerCase() }),
      ...(hostRewrite === '' ? {} : { hostRewrite }),
      ...subsetField(entry.subset),
      ...(filterConfigs === undefined || filterConfigs.size === 0 ? {} : { filterConfigs }),
    };
  });
  const sum = clusters.reduce((total, { weight }) => total + weight, 0);
  if (entries.length > 0 && (sum === 0 || sum > 0xffff_ffff)) {
    problems.add(`the weights sum up to ${sum}`, 'clusters');
  }
  return clusters;
}
