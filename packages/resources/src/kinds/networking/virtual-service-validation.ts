import { isCidr, isIpAddress } from '../../format/address.ts';
import { checkHostPattern, coversHost } from '../../format/hosts.ts';
import { checkLabels } from '../../format/labels.ts';
import { checkName } from '../../format/names.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { checkHttpRoute } from './http-route-validation.ts';
import { checkExportTo, checkGatewayNames, checkPortNumber } from './istio-checks.ts';
import { checkDestination, checkWeights } from './route-validation.ts';
import type {
  RouteDestination,
  TcpMatch,
  TcpRoute,
  TlsMatch,
  TlsRoute,
  VirtualService,
  VirtualServiceSpec,
} from './virtual-service.ts';

/** Most hosts of one object: each server name of a TLS rule is compared with all of them. */
export const hostsMax = 1024;

/** Whether sidecars use the routes: they do unless only gateways are named. */
function appliesToMesh(gateways: readonly string[] | undefined): boolean {
  return gateways === undefined || gateways.length === 0 || gateways.includes('mesh');
}

function checkHosts(place: Place, spec: VirtualServiceSpec): void {
  const hosts = spec.hosts ?? [];
  if (hosts.length > hostsMax) {
    place.tooLong(`there are ${hosts.length} hosts, at most ${hostsMax} are allowed`, 'Split the object.');
  }
  const seen = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    const here = place.at(index);
    const key = host.toLowerCase();
    if (seen.has(key)) {
      here.duplicate(host, 'Name each host once.');
    }
    seen.add(key);
    if (host === '*' && appliesToMesh(spec.gateways)) {
      here.invalid(
        host,
        'a wildcard for all hosts is only for gateways, and these routes are for sidecars',
        'Name the hosts, or name a gateway other than mesh.',
      );
    } else if (!isIpAddress(host)) {
      checkHostPattern(here, host);
    }
  }
}

/** A VirtualService without hosts is only used by delegation, and that is for HTTP routes only. */
function checkDelegateShape(place: Place, spec: VirtualServiceSpec): void {
  for (const field of ['gateways', 'tls', 'tcp'] as const) {
    if ((spec[field] ?? []).length > 0) {
      place
        .at(field)
        .forbidden(
          `a virtual service without hosts is used by delegation, and cannot have ${field}`,
          'Add hosts, or remove it.',
        );
    }
  }
}

function checkSubnets(place: Place, subnets: readonly string[] | undefined): void {
  for (const [index, subnet] of (subnets ?? []).entries()) {
    checkSubnet(place.at(index), subnet);
  }
}

function checkSubnet(place: Place, subnet: string): void {
  if (!isIpAddress(subnet) && !isCidr(subnet)) {
    place.invalid(subnet, 'neither an IP address nor a CIDR block', 'Write it as 10.1.0.0/16 or 10.1.2.3.');
  }
}

function checkConnectionMatch(place: Place, match: TcpMatch | TlsMatch): void {
  checkSubnets(place.at('destinationSubnets'), match.destinationSubnets);
  checkPortNumber(place.at('port'), match.port);
  checkLabels(place.at('sourceLabels'), match.sourceLabels);
  checkGatewayNames(place.at('gateways'), match.gateways);
  if (match.sourceNamespace !== undefined && match.sourceNamespace !== '') {
    checkName(place.at('sourceNamespace'), match.sourceNamespace, 'label');
  }
}

function checkConnectionDestinations(place: Place, route: readonly RouteDestination[] | undefined): void {
  if (route === undefined || route.length === 0) {
    place.required('a rule needs a destination', 'Add a route with a destination.');
    return;
  }
  for (const [index, { destination }] of route.entries()) {
    checkDestination(place.at(index, 'destination'), destination);
  }
  checkWeights(place, route);
}

/** The first few of a list that may be long. */
function listed(hosts: readonly string[]): string {
  return `${hosts.slice(0, 5).join(', ')}${hosts.length > 5 ? ', …' : ''}`;
}

function checkTlsRoute(place: Place, route: TlsRoute, hosts: readonly string[]): void {
  if (route.match.length === 0) {
    place.at('match').required('a TLS rule needs a match', 'Add a match with sniHosts.');
  }
  for (const [index, match] of route.match.entries()) {
    const here = place.at('match', index);
    if (match.sniHosts.length === 0) {
      here.at('sniHosts').required('a TLS match needs a server name', 'Add a name to sniHosts.');
    }
    for (const [at, sni] of match.sniHosts.entries()) {
      checkHostPattern(here.at('sniHosts', at), sni);
      if (hosts.length <= hostsMax && !hosts.some((host) => coversHost(host, sni))) {
        here
          .at('sniHosts', at)
          .notFound(
            sni,
            'no host of this virtual service covers the name',
            `Add it to spec.hosts, which are ${listed(hosts)}.`,
          );
      }
    }
    checkConnectionMatch(here, match);
  }
  checkConnectionDestinations(place.at('route'), route.route);
}

function checkTcpRoute(place: Place, route: TcpRoute): void {
  for (const [index, match] of (route.match ?? []).entries()) {
    const here = place.at('match', index);
    checkConnectionMatch(here, match);
    if (match.sourceSubnet !== undefined && match.sourceSubnet !== '') {
      checkSubnet(here.at('sourceSubnet'), match.sourceSubnet);
    }
  }
  checkConnectionDestinations(place.at('route'), route.route);
}

export function validateVirtualService({ spec = {} }: VirtualService): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  const hosts = spec.hosts ?? [];
  const delegated = hosts.length === 0;
  if (delegated) {
    checkDelegateShape(place, spec);
  }
  if ((spec.http ?? []).length + (spec.tls ?? []).length + (spec.tcp ?? []).length === 0) {
    place.at('http').required('http, tcp or tls must be provided', 'Add a rule.');
  }
  checkHosts(place.at('hosts'), spec);
  checkGatewayNames(place.at('gateways'), spec.gateways);
  for (const [index, route] of (spec.http ?? []).entries()) {
    checkHttpRoute(place.at('http', index), route, delegated);
  }
  for (const [index, route] of (spec.tls ?? []).entries()) {
    checkTlsRoute(place.at('tls', index), route, hosts);
  }
  for (const [index, route] of (spec.tcp ?? []).entries()) {
    checkTcpRoute(place.at('tcp', index), route);
  }
  checkExportTo(place.at('exportTo'), spec.exportTo);
  return root.violations;
}
