import type { OriginRef } from '@weft/ir';
import { type HttpMatchSpec, type HttpRouteSpec, keyOf, type StringMatchSpec, type VirtualService } from '../kinds.ts';
import { exportedTo } from '../match.ts';
import { originOf } from '../origin.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { type RuleSource, virtualServiceRule } from './rule-source.ts';

/** A rule as it applies: one of a VirtualService, or of one that it delegates to, put together with the rule that delegates. */
export interface HttpRule {
  readonly rule: HttpRouteSpec;
  /** Of the rule, for names of routes: `namespace/name#index` of the VirtualService that has it. */
  readonly label: string;
  /** In which short names of hosts are looked up. */
  readonly namespace: string;
  readonly source: RuleSource;
}

export interface HttpRules {
  readonly rules: readonly HttpRule[];
  readonly origins: readonly OriginRef[];
  /** Delegations that lead nowhere, and why; requests that only they would take are answered 503. */
  readonly problems: readonly string[];
}

/**
 * The HTTP rules of a VirtualService with its delegates put in. A delegate's rules apply to what the delegating rule matches and to what
 * they match themselves; what a delegate's rule leaves out (rewrite, timeout, …) it takes from the delegating one. Delegates cannot
 * delegate (validation refuses it), so there are no cycles.
 */
export function httpRulesOf(state: MeshState, object: VirtualService): HttpRules {
  const delegates = (object.spec?.http ?? []).map((rule) => delegateOf(state, object, rule));
  return state.memo.get(`http-rules|${keyOf(object)}`, [object, ...delegates] as const, ([root, ...found]) =>
    expand(root, found),
  );
}

/** The VirtualService that a rule delegates to; a text says why there is none; undefined: it does not delegate. */
function delegateOf(state: MeshState, root: VirtualService, rule: HttpRouteSpec): VirtualService | string | undefined {
  const { delegate } = rule;
  if (delegate === undefined) {
    return undefined;
  }
  const own = root.metadata.namespace ?? '';
  const namespace = delegate.namespace === undefined || delegate.namespace === '' ? own : delegate.namespace;
  const name = `${namespace}/${delegate.name ?? ''}`;
  const found = state.object('networking.istio.io/VirtualService', name);
  if (found === undefined) {
    return `delegate ${name} is not known`;
  }
  if ((found.spec?.hosts ?? []).length > 0) {
    return `delegate ${name} has hosts of its own`;
  }
  return exportedTo(found.spec?.exportTo, namespace, own) ? found : `delegate ${name} is not exported to ${own}`;
}

function expand(root: VirtualService, delegates: readonly (VirtualService | string | undefined)[]): HttpRules {
  const rules: HttpRule[] = [];
  const origins: OriginRef[] = [originOf(root)];
  const problems: string[] = [];
  for (const [index, rule] of (root.spec?.http ?? []).entries()) {
    const delegate = delegates[index];
    const namespace = root.metadata.namespace ?? '';
    const label = `${keyOf(root)}#${index}`;
    const source = virtualServiceRule(root, index, rule);
    if (delegate === undefined) {
      rules.push({ rule, label, namespace, source });
    } else if (typeof delegate === 'string') {
      problems.push(`http[${index}]: ${delegate}`);
      rules.push({ rule, label, namespace, source });
    } else {
      origins.push(originOf(delegate));
      for (const [position, leaf] of (delegate.spec?.http ?? []).entries()) {
        const leafLabel = `${keyOf(delegate)}#${position}`;
        const merged = mergeRules(rule, leaf);
        if (merged === undefined) {
          problems.push(`http[${index}]: ${leafLabel} can match nothing of what it is delegated`);
        } else {
          rules.push({
            rule: merged,
            label: leafLabel,
            namespace: delegate.metadata.namespace ?? '',
            source: virtualServiceRule(delegate, position, leaf, source),
          });
        }
      }
    }
  }
  return { rules, origins, problems };
}

/** undefined: nothing can match both. */
function mergeRules(root: HttpRouteSpec, leaf: HttpRouteSpec): HttpRouteSpec | undefined {
  const match = mergeMatches(root.match ?? [], leaf.match ?? []);
  if (match === undefined) {
    return undefined;
  }
  const { delegate: _root, match: _match, ...inherited } = root;
  const name = [root.name, leaf.name].filter((part) => part !== undefined && part !== '').join('-');
  return { ...inherited, ...leaf, ...(name === '' ? {} : { name }), ...(match.length === 0 ? {} : { match }) };
}

function mergeMatches(
  roots: readonly HttpMatchSpec[],
  leaves: readonly HttpMatchSpec[],
): readonly HttpMatchSpec[] | undefined {
  if (roots.length === 0 || leaves.length === 0) {
    return roots.length === 0 ? leaves : roots;
  }
  const merged = roots.flatMap((root) =>
    leaves.flatMap((leaf) => (conflict(root, leaf) ? [] : [mergeMatch(root, leaf)])),
  );
  return merged.length === 0 ? undefined : merged;
}

function conflict(root: HttpMatchSpec, leaf: HttpMatchSpec): boolean {
  const single = (['uri', 'scheme', 'method', 'authority'] as const).some((part) =>
    textConflict(root[part], leaf[part]),
  );
  const keyed = (['headers', 'withoutHeaders', 'queryParams'] as const).some((part) =>
    Object.entries(root[part] ?? {}).some(([name, match]) => textConflict(match, leaf[part]?.[name])),
  );
  return (
    single ||
    keyed ||
    (root.uri !== undefined && leaf.uri !== undefined && root.ignoreUriCase !== leaf.ignoreUriCase) ||
    differ(root.port, leaf.port) ||
    differ(root.sourceNamespace, leaf.sourceNamespace) ||
    Object.entries(root.sourceLabels ?? {}).some(([name, value]) => differ(value, leaf.sourceLabels?.[name]))
  );
}

function differ<T>(a: T | undefined, b: T | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/** Whether a value that the leaf's condition takes may not meet the root's; of regular expressions nothing is known. */
function textConflict(root: StringMatchSpec | undefined, leaf: StringMatchSpec | undefined): boolean {
  if (root === undefined || leaf === undefined || isEmptyMatch(root) || isEmptyMatch(leaf)) {
    return false;
  }
  if (root.regex !== undefined || leaf.regex !== undefined) {
    return true;
  }
  if (root.exact !== undefined) {
    return root.exact !== leaf.exact;
  }
  const prefix = root.prefix ?? '';
  return !(leaf.exact ?? leaf.prefix ?? '').startsWith(prefix);
}

/** A match without a value asks only that something is there. */
function isEmptyMatch(match: StringMatchSpec): boolean {
  return match.exact === undefined && match.prefix === undefined && match.regex === undefined;
}

/** Without a conflict the leaf's condition is the narrower one. */
function mergeMatch(root: HttpMatchSpec, leaf: HttpMatchSpec): HttpMatchSpec {
  const name = [root.name, leaf.name].filter((part) => part !== undefined && part !== '').join('-');
  return {
    ...root,
    ...leaf,
    ...(name === '' ? {} : { name }),
    ...mergedMap('headers', root, leaf),
    ...mergedMap('withoutHeaders', root, leaf),
    ...mergedMap('queryParams', root, leaf),
    ...mergedMap('sourceLabels', root, leaf),
  };
}

function mergedMap<K extends 'headers' | 'withoutHeaders' | 'queryParams' | 'sourceLabels'>(
  part: K,
  root: HttpMatchSpec,
  leaf: HttpMatchSpec,
): Pick<HttpMatchSpec, K> | Record<string, never> {
  return root[part] === undefined && leaf[part] === undefined
    ? {}
    : ({ [part]: { ...root[part], ...leaf[part] } } as Pick<HttpMatchSpec, K>);
}
