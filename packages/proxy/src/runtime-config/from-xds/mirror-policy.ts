import type { ClusterName, MirrorPolicy } from '../config.ts';
import type { Problems } from '../wire/problems.ts';
import type { RequestMirrorPolicy } from '../wire/route-schema.ts';
import type { Decoded } from '../wire/schema.ts';
import { fractionPerMillion } from './fraction.ts';
import { checkHeaderName } from './header-edits.ts';

/** Mirrors of one request: each is a copy of its body. */
const MAX_MIRRORS = 16;

/** `request_mirror_policies` of a route, virtual host or route configuration. */
export function mirrorPoliciesFromXds(
  policies: readonly Decoded<typeof RequestMirrorPolicy>[],
  problems: Problems,
): MirrorPolicy[] {
  if (policies.length > MAX_MIRRORS) {
    problems.add(`there are ${policies.length}, more than ${MAX_MIRRORS}`, 'request_mirror_policies');
  }
  return problems.each('request_mirror_policies', policies, (policy) => {
    const fraction = policy.runtime_fraction?.default_value;
    if (policy.runtime_fraction !== undefined && fraction === undefined) {
      problems.add('required', 'runtime_fraction.default_value');
    }
    return {
      cluster: clusterNameFromXds(policy.cluster, policy.cluster_header, problems),
      fraction: fraction === undefined ? 1_000_000 : fractionPerMillion(fraction),
      shadowSuffix: !policy.disable_shadow_host_suffix_append,
    };
  });
}

/** One of a name and a field that holds it. */
export function clusterNameFromXds(name: string, header: string, problems: Problems): ClusterName {
  if ((name === '') === (header === '')) {
    problems.add('exactly one of the name of a cluster and cluster_header is required');
  }
  if (name !== '') {
    return { kind: 'name', name };
  }
  if (header !== '' && !header.startsWith(':')) {
    checkHeaderName(header, 'cluster_header', problems);
  }
  return { kind: 'header', header: header.toLowerCase() };
}
