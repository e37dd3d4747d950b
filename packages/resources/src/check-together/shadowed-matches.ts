import { coversHost } from '../format/hosts.ts';
import type { KubeHttpRoute, KubeHttpRouteMatch } from '../kinds/gateway/http-route.ts';
import type {
  HttpMatch,
  HttpRoute,
  StringMatch,
  TlsMatch,
  VirtualService,
} from '../kinds/networking/virtual-service.ts';
import { showValue } from '../place.ts';
import type { FindingList } from './finding.ts';
import type { Inventory } from './inventory.ts';

/** Matches that an earlier one covers, without being equal to it: nothing is left for the later one. */
export function checkShadowedMatches(inventory: Inventory, findings: FindingList): void {
  for (const object of inventory.list<VirtualService>('networking.istio.io/VirtualService')) {
    checkHttp(object, findings);
    checkTls(object, findings);
    checkTcp(object, findings);
  }
  for (const object of inventory.list<KubeHttpRoute>('gateway.networking.k8s.io/HTTPRoute')) {
    checkHttpRoute(object, findings);
  }
}

function ruleName(kind: string, name: string | undefined, index: number): string {
  return name === undefined || name === '' ? `spec.${kind}[${index}]` : showValue(name);
}

function checkHttp(object: VirtualService, findings: FindingList): void {
  const earlier: { readonly match: HttpMatch; readonly name: string }[] = [];
  for (const [index, route] of (object.spec?.http ?? []).entries()) {
    const matches = route.match ?? [];
    const covering = matches.map((match) => earlier.find((other) => coversMatch(other.match, match))?.name);
    for (const [at, name] of covering.entries()) {
      const place = findings.of(object).at('spec', 'http', index, 'match', at);
      if (name !== undefined && !findings.has(object, place.path)) {
        const all = covering.every((one) => one !== undefined);
        place.conflict(
          `${name} comes first and takes every request that it matches${all ? ', so the rule is never reached' : ''}`,
          'Move the narrower match before the wider one, or remove it.',
        );
      }
    }
    if (!delegates(route)) {
      earlier.push(...matches.map((match) => ({ match, name: ruleName('http', route.name, index) })));
    }
  }
}

/** What a delegate does not match goes on to the next rule. */
function delegates({ delegate }: HttpRoute): boolean {
  return delegate !== undefined;
}

function coversMatch(wide: HttpMatch, narrow: HttpMatch): boolean {
  const texts = (['scheme', 'method', 'authority'] as const).every((part) => coversText(wide[part], narrow[part]));
  return (
    texts &&
    coversUri(wide, narrow) &&
    coversAll(wide.headers, narrow.headers) &&
    coversAll(wide.queryParams, narrow.queryParams) &&
    coversExceptions(wide.withoutHeaders, narrow.withoutHeaders) &&
    (wide.port === undefined || wide.port === narrow.port) &&
    (wide.sourceNamespace === undefined || wide.sourceNamespace === narrow.sourceNamespace) &&
    Object.entries(wide.sourceLabels ?? {}).every(([name, value]) => narrow.sourceLabels?.[name] === value) &&
    coversGateways(wide.gateways, narrow.gateways)
  );
}

function coversUri(wide: HttpMatch, narrow: HttpMatch): boolean {
  if (wide.uri?.prefix === '/') {
    return true;
  }
  const ignores = wide.ignoreUriCase === true;
  if (!ignores && narrow.ignoreUriCase === true && wide.uri !== undefined) {
    return false;
  }
  return coversText(wide.uri, narrow.uri, ignores);
}

/** Whether a value that meets `narrow` meets `wide` as well; undefined is no condition. */
function coversText(wide: StringMatch | undefined, narrow: StringMatch | undefined, ignoreCase = false): boolean {
  if (wide === undefined) {
    return true;
  }
  if (narrow === undefined) {
    return false;
  }
  if (wide.regex !== undefined) {
    return wide.regex === narrow.regex || wide.regex === '.*';
  }
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  if (wide.exact !== undefined) {
    return narrow.exact !== undefined && fold(narrow.exact) === fold(wide.exact);
  }
  if (wide.prefix !== undefined) {
    const value = narrow.exact ?? narrow.prefix;
    return value !== undefined && fold(value).startsWith(fold(wide.prefix));
  }
  return true;
}

type TextMatches = Readonly<Record<string, StringMatch>> | undefined;

function coversAll(wide: TextMatches, narrow: TextMatches): boolean {
  return Object.entries(wide ?? {}).every(([name, match]) => {
    const other = narrow?.[name];
    return other !== undefined && coversText(match, other);
  });
}

/** What may not be there: the narrower match excludes at least as much. */
function coversExceptions(wide: TextMatches, narrow: TextMatches): boolean {
  return Object.entries(wide ?? {}).every(([name, match]) => {
    const other = narrow?.[name];
    return other !== undefined && coversText(other, match);
  });
}

function coversGateways(wide: readonly string[] | undefined, narrow: readonly string[] | undefined): boolean {
  return (
    wide === undefined ||
    wide.length === 0 ||
    (narrow !== undefined && narrow.length > 0 && narrow.every((gateway) => wide.includes(gateway)))
  );
}

function checkTls(object: VirtualService, findings: FindingList): void {
  const earlier: { readonly match: TlsMatch; readonly name: string }[] = [];
  for (const [index, { match }] of (object.spec?.tls ?? []).entries()) {
    for (const [at, one] of match.entries()) {
      const wider = earlier.find(
        (other) =>
          sameConnections(other.match, one) &&
          one.sniHosts.every((host) => other.match.sniHosts.some((wide) => coversHost(wide, host))),
      );
      if (wider !== undefined) {
        findings
          .of(object)
          .at('spec', 'tls', index, 'match', at)
          .conflict(`${wider.name} comes first and takes all of its server names`, 'Move it before the wider one.');
      }
    }
    earlier.push(...match.map((one) => ({ match: one, name: ruleName('tls', undefined, index) })));
  }
}

/** Whether the earlier match asks nothing of connections that the later one does not ask, too. */
function sameConnections(wide: TlsMatch, narrow: TlsMatch): boolean {
  return (
    (wide.destinationSubnets ?? []).length === 0 &&
    (wide.port === undefined || wide.port === narrow.port) &&
    (wide.sourceNamespace === undefined || wide.sourceNamespace === narrow.sourceNamespace) &&
    Object.entries(wide.sourceLabels ?? {}).every(([name, value]) => narrow.sourceLabels?.[name] === value) &&
    coversGateways(wide.gateways, narrow.gateways)
  );
}

function checkTcp(object: VirtualService, findings: FindingList): void {
  let catchAll: number | undefined;
  for (const [index, { match }] of (object.spec?.tcp ?? []).entries()) {
    if (catchAll !== undefined) {
      findings
        .of(object)
        .at('spec', 'tcp', index)
        .conflict(
          `the rule is never reached: spec.tcp[${catchAll}] takes every connection`,
          'Move the rule before it.',
        );
    } else if ((match ?? []).length === 0) {
      catchAll = index;
    }
  }
}

/**
 * The most specific match decides in an HTTPRoute, so only one that is as specific can take all from a later one: the same path, a
 * method or none, as many headers and parameters.
 */
function checkHttpRoute(object: KubeHttpRoute, findings: FindingList): void {
  const earlier: { readonly match: KubeHttpRouteMatch; readonly name: string }[] = [];
  for (const [index, { name, matches }] of (object.spec.rules ?? []).entries()) {
    const own = matches ?? [{}];
    for (const [at, match] of own.entries()) {
      const wider = earlier.find((other) => takesAll(other.match, match));
      const place = findings.of(object).at('spec', 'rules', index, ...(matches === undefined ? [] : ['matches', at]));
      if (wider !== undefined && !findings.has(object, place.path)) {
        place.conflict(
          `${wider.name} comes first, is as specific, and takes every request that it matches`,
          'Remove it, or make it more specific.',
        );
      }
    }
    earlier.push(...own.map((match) => ({ match, name: name ?? `spec.rules[${index}]` })));
  }
}

function takesAll(wide: KubeHttpRouteMatch, narrow: KubeHttpRouteMatch): boolean {
  return (
    pathOf(wide) === pathOf(narrow) &&
    wide.method === narrow.method &&
    takesValues(wide.headers, narrow.headers, true) &&
    takesValues(wide.queryParams, narrow.queryParams, false)
  );
}

function pathOf({ path }: KubeHttpRouteMatch): string {
  const { type = 'PathPrefix', value = '/' } = path ?? {};
  return `${type} ${type === 'PathPrefix' && value.length > 1 && value.endsWith('/') ? value.slice(0, -1) : value}`;
}

type Values = KubeHttpRouteMatch['queryParams'];

function takesValues(wide: Values, narrow: Values, ignoreCase: boolean): boolean {
  const fold = (name: string): string => (ignoreCase ? name.toLowerCase() : name);
  return (
    (wide ?? []).length === (narrow ?? []).length &&
    (wide ?? []).every(({ name, type = 'Exact', value }) => {
      const other = (narrow ?? []).find((one) => fold(one.name) === fold(name));
      return (
        other !== undefined &&
        (((other.type ?? 'Exact') === type && other.value === value) ||
          (type === 'RegularExpression' && value === '.*'))
      );
    })
  );
}
