import { text } from '../../schema/fields.ts';

/** Texts that several kinds of the Gateway API share: names, hosts, durations, header fields. */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const domainPrefix = `${subdomain}\\/`;

const labelPattern = new RegExp(`^${label}$`);
const subdomainPattern = new RegExp(`^${subdomain}$`);
const groupPattern = new RegExp(`^$|^${subdomain}$`);
const kindPattern = /^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const hostPattern = new RegExp(`^(\\*\\.)?${subdomain}$`);
const controllerPattern = new RegExp(`^${domainPrefix}[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`);
const protocolPattern = new RegExp(`^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|${domainPrefix}[A-Za-z0-9]+$`);
const addressTypePattern = new RegExp(
  `^Hostname|IPAddress|NamedAddress|${domainPrefix}[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`,
);
const wellKnownPattern = new RegExp(`^(System|(${domainPrefix}([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$`);
const durationPattern = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;
const headerNamePattern = /^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$/;
const subdomainForm = 'a name of lower case letters, digits, `-` and `.` that begins and ends with a letter or digit';

type Defaulted = { readonly default?: string };

export function groupName(description: string, keywords: Defaulted = {}) {
  const form = 'an API group such as gateway.networking.k8s.io, or nothing for the core group';
  return text(description, { max: 253, pattern: groupPattern, form }, keywords);
}

export function kindName(description: string, keywords: Defaulted = {}) {
  return text(description, { min: 1, max: 63, pattern: kindPattern, form: 'a kind such as Service' }, keywords);
}

export function objectName(description: string) {
  return text(description, { min: 1, max: 253 });
}

export function namespaceName(description: string) {
  const form = 'a namespace: lower case letters, digits and `-`, beginning and ending with a letter or digit';
  return text(description, { min: 1, max: 63, pattern: labelPattern, form });
}

/** Name of a listener, of a port, or of a rule. */
export function sectionName(description: string) {
  return text(description, { min: 1, max: 253, pattern: subdomainPattern, form: subdomainForm });
}

/** A host name, or `*.` and one. */
export function hostPatternText(description: string) {
  const form = 'a host name in lower case such as shop.example.com or *.example.com';
  return text(description, { min: 1, max: 253, pattern: hostPattern, form });
}

/** A host name without a wildcard. */
export function preciseHost(description: string) {
  const form = 'a host name in lower case such as shop.example.com';
  return text(description, { min: 1, max: 253, pattern: subdomainPattern, form });
}

export function controllerName(description: string) {
  const form = 'a domain and a path such as weft.dev/gateway-controller';
  return text(description, { min: 1, max: 253, pattern: controllerPattern, form });
}

export function listenerProtocol(description: string) {
  const form = 'HTTP, HTTPS, TLS, TCP, UDP, or a domain and a name such as example.com/proto';
  return text(description, { min: 1, max: 255, pattern: protocolPattern, form });
}

export function addressType(description: string) {
  const form = 'IPAddress, Hostname, NamedAddress, or a domain and a name';
  return text(description, { min: 1, max: 253, pattern: addressTypePattern, form }, { default: 'IPAddress' });
}

export function wellKnownCertificates(description: string) {
  const form = 'System, or a domain and a name such as example.com/roots';
  return text(description, { min: 1, max: 253, pattern: wellKnownPattern, form });
}

/** The Gateway API's durations (GEP-2257): a stricter form than Istio's. */
export function gatewayDuration(description: string) {
  const form = 'a duration such as 1h30m, 10s or 250ms: at most four whole numbers with h, m, s or ms';
  return text(description, { pattern: durationPattern, form });
}

export function headerName(description: string) {
  const form = 'the name of a header field';
  return text(description, { min: 1, max: 256, pattern: headerNamePattern, form });
}

/**
 * A value of a header field. The standard channel asks for no form, and the experimental one for visible ASCII with
 * single blanks; kinds refuse what no header field can have (`checkFieldValue`).
 */
export function headerValue(description: string) {
  return text(description, { min: 1, max: 4096 });
}
