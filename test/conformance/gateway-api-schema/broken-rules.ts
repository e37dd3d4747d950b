/** A value that breaks a rule where the rule stands, values that keep it, and a part of what is said. */
export interface RuleCase {
  readonly bad: unknown;
  readonly good?: readonly unknown[];
  readonly says: string;
}

const service = { group: '', kind: 'Service', name: 'a' };

/** A filter that has the field of a type but is of another one, and a filter of a type without its field. */
function filterCases(type: string, field: string, value: unknown): Readonly<Record<string, readonly RuleCase[]>> {
  const other = type === 'RequestHeaderModifier' ? 'ResponseHeaderModifier' : 'RequestHeaderModifier';
  const good = [{ type, [field]: value }];
  return {
    [`filter.${field} must be nil if the filter.type is not ${type}`]: [
      { bad: { type: other, [field]: value }, good, says: `${field}: Forbidden: the filter is of type ${other}` },
    ],
    [`filter.${field} must be specified for ${type} filter.type`]: [
      { bad: { type }, good, says: `${field}: Required value: a filter of type ${type} needs it` },
    ],
  };
}

const filters = {
  RequestHeaderModifier: ['requestHeaderModifier', { remove: ['a'] }],
  ResponseHeaderModifier: ['responseHeaderModifier', { remove: ['a'] }],
  RequestMirror: ['requestMirror', { backendRef: { name: 'a', port: 80 } }],
  RequestRedirect: ['requestRedirect', {}],
  URLRewrite: ['urlRewrite', {}],
  CORS: ['cors', {}],
  ExtensionRef: ['extensionRef', { group: 'a.com', kind: 'A', name: 'a' }],
  ExternalAuth: ['externalAuth', { protocol: 'HTTP', http: {}, backendRef: { name: 'a', port: 80 } }],
} as const;

function filter(type: keyof typeof filters, extra: object = {}): object {
  const [field, value] = filters[type];
  return { type, [field]: { ...value, ...extra } };
}

/** Two filters of a type of which there may be one. */
function repeated(type: keyof typeof filters): Readonly<Record<string, readonly RuleCase[]>> {
  return {
    [`${type} filter cannot be repeated`]: [
      {
        bad: [filter(type), filter(type)],
        good: [[filter(type)], [filter('RequestMirror'), filter('RequestMirror')]],
        says: `[1].type: Duplicate value: "${type}"`,
      },
    ],
  };
}

const prefix = { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/b' } };
const oneMatch = [{ path: { type: 'PathPrefix', value: '/a' } }];
const otherMatches = [
  [{ path: { type: 'Exact', value: '/a' } }],
  [{ path: { type: 'PathPrefix', value: '/a' } }, { path: { type: 'PathPrefix', value: '/b' } }],
  [],
];

/** Rules whose filter replaces a prefix of which there is none, or more than one. */
function prefixCases(type: 'RequestRedirect' | 'URLRewrite', inBackend: boolean): readonly RuleCase[] {
  const rule = (matches: unknown): unknown =>
    inBackend
      ? { matches, backendRefs: [{ ...service, port: 80, filters: [filter(type, prefix)] }] }
      : { matches, filters: [filter(type, prefix)] };
  const says = 'Conflict: there is no single prefix to replace';
  return otherMatches.map((matches) => ({ bad: rule(matches), good: [rule(oneMatch)], says }));
}

/** Paths that break a rule, in both types that it is for. */
function paths(says: string, ...values: readonly string[]): readonly RuleCase[] {
  return ['Exact', 'PathPrefix'].flatMap((type) =>
    values.map((value) => ({
      bad: { type, value },
      good: [
        { type, value: '/a/b.c/%20' },
        { type, value: '/a/..b/.c' },
        { type: 'RegularExpression', value },
      ],
      says,
    })),
  );
}

const pathOf = "when type one of ['Exact', 'PathPrefix']";

/** A part that one type needs, and that is forbidden for the others. */
function typedPart(
  needed: string,
  forbidden: string,
  type: readonly [field: string, value: string, other: string],
  field: string,
  value: unknown,
): Readonly<Record<string, readonly RuleCase[]>> {
  const [name, one, other] = type;
  return {
    [needed]: [{ bad: { [name]: one }, good: [{ [name]: one, [field]: value }], says: `${field}: Required value` }],
    [forbidden]: [
      { bad: { [name]: other, [field]: value }, good: [{ [name]: one, [field]: value }], says: `${field}: Forbidden` },
    ],
  };
}

const listener = { name: 'a', port: 80, protocol: 'HTTP' };
const certificate = { certificateRefs: [{ name: 'a' }] };
const domainPrefix = `${'a'.repeat(50)}.`.repeat(5).slice(0, 252);
const keyCases = (says: string): readonly RuleCase[] => [
  { bad: { 'a b': 'v' }, good: [{ 'a.com/b': 'v' }, { a_b: 'v' }], says },
  { bad: { '/a': 'v' }, says },
  { bad: { ['a'.repeat(64)]: 'v' }, says },
];

/** For each rule of the CRDs, by its message. */
export const brokenRules: Readonly<Record<string, readonly RuleCase[]>> = {
  ...Object.assign({}, ...Object.entries(filters).map(([type, [field, value]]) => filterCases(type, field, value))),
  ...repeated('CORS'),
  ...repeated('RequestHeaderModifier'),
  ...repeated('ResponseHeaderModifier'),
  ...repeated('RequestRedirect'),
  ...repeated('URLRewrite'),
  'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both': [
    {
      bad: [filter('URLRewrite'), filter('RequestRedirect')],
      good: [[filter('URLRewrite'), filter('CORS')]],
      says: 'Conflict: a request that is redirected is not rewritten',
    },
  ],

  'sectionName or port must be specified when parentRefs includes 2 or more references to the same parent': [
    {
      bad: [{ name: 'a' }, { name: 'a', sectionName: 'b' }],
      good: [
        [{ name: 'a' }, { name: 'b' }],
        [{ name: 'a' }, { name: 'a', namespace: 'b' }],
      ],
      says: '[1]: Conflict: a is referred to more than once',
    },
    {
      bad: [{ name: 'a', port: 1 }, { name: 'a' }],
      good: [[{ name: 'a' }, { name: 'a', kind: 'Service', group: '' }]],
      says: '[1]: Conflict: a is referred to more than once',
    },
    {
      bad: [
        { name: 'a', port: 1 },
        { name: 'a', sectionName: 'b' },
      ],
      says: '[1]: Conflict: a is referred to more than once',
    },
  ],
  'sectionName or port must be unique when parentRefs includes 2 or more references to the same parent': [
    {
      bad: [{ name: 'a' }, { name: 'a' }],
      good: [
        [
          { name: 'a', port: 1 },
          { name: 'a', port: 2 },
        ],
        [
          { name: 'a', port: 1, sectionName: 'b' },
          { name: 'a', port: 1, sectionName: 'c' },
        ],
      ],
      says: '[1]: Duplicate value: "a"',
    },
    {
      bad: [
        { name: 'a', namespace: 'n', sectionName: 'b' },
        { name: 'a', namespace: 'n', sectionName: 'b' },
      ],
      says: '[1]: Duplicate value: "a"',
    },
  ],
  'Must have port for Service reference': [
    {
      bad: { name: 'a' },
      good: [
        { name: 'a', port: 80 },
        { group: 'a.com', kind: 'Service', name: 'a' },
        { kind: 'Bucket', name: 'a' },
      ],
      says: 'port: Required value',
    },
  ],
  'Rule name must be unique within the route': [
    {
      bad: [
        { name: 'a', backendRefs: [] },
        { name: 'a', backendRefs: [] },
      ],
      good: [
        [
          { name: 'a', backendRefs: [] },
          { name: 'b', backendRefs: [] },
        ],
        [{ backendRefs: [] }, { backendRefs: [] }],
      ],
      says: '[1].name: Duplicate value: "a"',
    },
  ],
  'While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128':
    [
      {
        bad: [{ matches: Array(64).fill({}) }, { matches: Array(64).fill({}) }, { matches: [{}] }],
        good: [[{ matches: Array(64).fill({}) }, { matches: Array(64).fill({}) }]],
        says: 'Too long: the rules have 129 matches together',
      },
    ],

  'RequestRedirect filter must not be used together with backendRefs': [
    {
      bad: { backendRefs: [{ ...service, port: 80 }], filters: [filter('RequestRedirect')] },
      good: [{ filters: [filter('RequestRedirect')] }, { backendRefs: [], filters: [filter('RequestRedirect')] }],
      says: 'backendRefs: Conflict: the rule redirects',
    },
  ],
  'When using RequestRedirect filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified':
    prefixCases('RequestRedirect', false),
  'When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified':
    prefixCases('URLRewrite', false),
  'Within backendRefs, when using RequestRedirect filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified':
    prefixCases('RequestRedirect', true),
  'Within backendRefs, When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified':
    prefixCases('URLRewrite', true),

  ...typedPart(
    "replaceFullPath must be specified when type is set to 'ReplaceFullPath'",
    "type must be 'ReplaceFullPath' when replaceFullPath is set",
    ['type', 'ReplaceFullPath', 'ReplacePrefixMatch'],
    'replaceFullPath',
    '/a',
  ),
  ...typedPart(
    "replacePrefixMatch must be specified when type is set to 'ReplacePrefixMatch'",
    "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set",
    ['type', 'ReplacePrefixMatch', 'ReplaceFullPath'],
    'replacePrefixMatch',
    '/a',
  ),
  "grpc must be specified when protocol is set to 'GRPC'": [
    {
      bad: { protocol: 'GRPC', backendRef: service },
      good: [{ protocol: 'GRPC', grpc: {}, backendRef: service }],
      says: 'grpc: Required value',
    },
  ],
  "protocol must be 'GRPC' when grpc is set": [
    {
      bad: { protocol: 'HTTP', grpc: {}, http: {}, backendRef: service },
      good: [{ protocol: 'GRPC', grpc: {}, backendRef: service }],
      says: 'grpc: Forbidden',
    },
  ],
  "http must be specified when protocol is set to 'HTTP'": [
    {
      bad: { protocol: 'HTTP', backendRef: service },
      good: [{ protocol: 'HTTP', http: {}, backendRef: service }],
      says: 'http: Required value',
    },
  ],
  "protocol must be 'HTTP' when http is set": [
    {
      bad: { protocol: 'GRPC', grpc: {}, http: {}, backendRef: service },
      good: [{ protocol: 'HTTP', http: {}, backendRef: service }],
      says: 'http: Forbidden',
    },
  ],
  'Only one of percent or fraction may be specified in HTTPRequestMirrorFilter': [
    {
      bad: { backendRef: service, percent: 1, fraction: { numerator: 1 } },
      good: [
        { backendRef: service, percent: 1 },
        { backendRef: service, fraction: { numerator: 1 } },
      ],
      says: 'fraction: Conflict',
    },
  ],
  'numerator must be less than or equal to denominator': [
    {
      bad: { numerator: 101 },
      good: [{ numerator: 100 }, { numerator: 101, denominator: 101 }],
      says: 'numerator: Invalid value: 101: greater than the denominator 100',
    },
    { bad: { numerator: 3, denominator: 2 }, says: 'numerator: Invalid value: 3: greater than the denominator 2' },
  ],
  "AllowHeaders cannot contain '*' alongside other methods": [
    { bad: ['*', 'a'], good: [['*'], ['a', 'b']], says: 'Conflict: `*` stands for every one' },
  ],
  "AllowMethods cannot contain '*' alongside other methods": [
    { bad: ['GET', '*'], good: [['*'], ['GET', 'PUT']], says: 'Conflict: `*` stands for every one' },
  ],
  "AllowOrigins cannot contain '*' alongside other origins": [
    {
      bad: ['*', 'https://a.com'],
      good: [['*'], ['https://a.com', 'http://*.a.com:80']],
      says: 'Conflict: `*` stands for every one',
    },
  ],

  [`value must be an absolute path and start with '/' ${pathOf}`]: paths('value: Invalid value', 'a', ''),
  [`must not contain '//' ${pathOf}`]: paths("must not contain '//'", '/a//b', '//'),
  [`must not contain '/./' ${pathOf}`]: paths("must not contain '/./'", '/a/./b'),
  [`must not contain '/../' ${pathOf}`]: paths("must not contain '/../'", '/a/../b'),
  [`must not contain '%2f' ${pathOf}`]: paths("must not contain '%2f'", '/a%2fb'),
  [`must not contain '%2F' ${pathOf}`]: paths("must not contain '%2F'", '/a%2Fb'),
  [`must not contain '#' ${pathOf}`]: paths("must not contain '#'", '/a#b'),
  [`must not end with '/..' ${pathOf}`]: paths("must not end with '/..'", '/a/..'),
  [`must not end with '/.' ${pathOf}`]: paths("must not end with '/.'", '/a/.'),
  "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']": [
    { bad: { type: 'Prefix', value: '/' }, good: [{ type: 'Exact', value: '/' }], says: 'type: Unsupported value' },
  ],
  "must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$) for types ['Exact', 'PathPrefix']":
    paths('has characters that no path has', '/a b', '/%zz', '/ä', '/a?b'),

  "One or both of 'service' or 'method' must be specified": [
    { bad: { type: 'Exact' }, good: [{ service: 'a' }, { method: 'a' }], says: 'Required value: neither a service' },
    { bad: { type: 'RegularExpression' }, says: 'Required value: neither a service' },
  ],
  'service must only contain valid characters (matching ^(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$)': [
    {
      bad: { service: 'a/b' },
      good: [{ service: 'Shop.v1.Cart_2' }, { service: '.a' }, { type: 'RegularExpression', service: 'a/b' }],
      says: 'service: Invalid value',
    },
    { bad: { service: '1a' }, says: 'service: Invalid value' },
    { bad: { service: '' }, says: 'service: Invalid value' },
  ],
  'method must only contain valid characters (matching ^[A-Za-z_][A-Za-z_0-9]*$)': [
    {
      bad: { method: 'a.b' },
      good: [{ method: 'Get_2' }, { type: 'RegularExpression', method: 'a.b' }],
      says: 'method: Invalid value',
    },
    { bad: { method: '' }, says: 'method: Invalid value' },
  ],

  'AbsoluteTimeout must be specified when cookie lifetimeType is Permanent': [
    {
      bad: { cookieConfig: { lifetimeType: 'Permanent' } },
      good: [{ cookieConfig: { lifetimeType: 'Permanent' }, absoluteTimeout: '1h' }, { cookieConfig: {} }],
      says: 'absoluteTimeout: Required value',
    },
  ],
  'cookieConfig can only be set with type Cookie': [
    {
      bad: { type: 'Header', cookieConfig: {} },
      good: [{ type: 'Cookie', cookieConfig: {} }, { cookieConfig: {} }, { type: 'Header' }],
      says: 'cookieConfig: Forbidden',
    },
  ],
  'backendRequest timeout cannot be longer than request timeout': [
    {
      bad: { request: '1s', backendRequest: '2s' },
      good: [
        { request: '1m', backendRequest: '60s' },
        { request: '0s', backendRequest: '2s' },
        { backendRequest: '2s' },
      ],
      says: 'backendRequest: Invalid value: "2s": longer than the timeout of the whole request, 1s',
    },
  ],

  'Hostnames cannot contain an IP': [
    { bad: ['10.0.0.1'], good: [['a.com', '*.a.com']], says: '[0]: Invalid value: "10.0.0.1": an address' },
  ],
  'Hostnames must be valid based on RFC-1123': [
    { bad: ['a_b'], good: [['a-b.com']], says: '[0]: Invalid value: "a_b" is not a host name' },
    { bad: ['-a.com'], says: '[0]: Invalid value: "-a.com" is not a host name' },
  ],
  'Wildcards on hostnames must be the first label, and the rest of hostname must be valid based on RFC-1123': [
    { bad: ['a.*.com'], good: [['*.a.com']], says: '[0]: Invalid value: "a.*.com" is not a host name' },
    { bad: ['*a.com'], says: '[0]: Invalid value: "*a.com" is not a host name' },
    { bad: ['*._'], says: '[0]: Invalid value: "*._" is not a host name' },
  ],

  'IPAddress values must be unique': [
    {
      bad: [{ value: '1.2.3.4' }, { type: 'IPAddress', value: '1.2.3.4' }],
      good: [
        [{ value: '1.2.3.4' }, { value: '::1' }],
        [{}, {}],
      ],
      says: '[1].value: Duplicate value: "1.2.3.4"',
    },
  ],
  'Hostname values must be unique': [
    {
      bad: [
        { type: 'Hostname', value: 'a.com' },
        { type: 'Hostname', value: 'a.com' },
      ],
      good: [
        [
          { type: 'Hostname', value: 'a.com' },
          { type: 'Hostname', value: 'b.com' },
        ],
        [
          { type: 'a.com/b', value: 'a' },
          { type: 'a.com/b', value: 'a' },
        ],
      ],
      says: '[1].value: Duplicate value: "a.com"',
    },
  ],
  'Hostname value must be empty or contain only valid characters (matching ^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)':
    [
      {
        bad: { type: 'Hostname', value: 'A_b' },
        good: [{ type: 'Hostname', value: '*.a.com' }, { type: 'Hostname' }, { type: 'a.com/b', value: 'A_b' }],
        says: 'value: Invalid value: "A_b": not a host name',
      },
    ],
  'Hostname value must only contain valid characters (matching ^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)':
    [{ bad: { type: 'Hostname', value: 'A_b' }, says: 'value: Invalid value: "A_b": not a host name' }],
  'Annotation keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.':
    keyCases('not the key of a label or annotation'),
  "If specified, the annotation key's prefix must be a DNS subdomain not longer than 253 characters in total.": [
    { bad: { [`${domainPrefix}a/b`]: 'v' }, says: 'not the key of a label or annotation' },
  ],
  'Label keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.':
    keyCases('not the key of a label or annotation'),
  "If specified, the label key's prefix must be a DNS subdomain not longer than 253 characters in total.": [
    { bad: { [`${domainPrefix}a/b`]: 'v' }, says: 'not the key of a label or annotation' },
  ],

  "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']": ['HTTP', 'TCP', 'UDP'].map((protocol) => ({
    bad: [{ ...listener, protocol, tls: certificate }],
    good: [[{ ...listener, protocol }], [{ ...listener, protocol: 'a.com/b', tls: certificate }]],
    says: `[0].tls: Forbidden: a listener of protocol ${protocol} has no TLS`,
  })),
  'tls mode must be Terminate for protocol HTTPS': [
    {
      bad: [{ ...listener, protocol: 'HTTPS', tls: { mode: 'Passthrough' } }],
      good: [[{ ...listener, protocol: 'HTTPS', tls: certificate }]],
      says: '[0].tls.mode: Invalid value: "Passthrough": HTTPS ends at the Gateway',
    },
  ],
  'tls mode must be set for protocol TLS': [
    {
      bad: [{ ...listener, protocol: 'TLS' }],
      good: [[{ ...listener, protocol: 'TLS', tls: { mode: 'Passthrough' } }]],
      says: '[0].tls: Required value',
    },
  ],
  "hostname must not be specified for protocols ['TCP', 'UDP']": ['TCP', 'UDP'].map((protocol) => ({
    bad: [{ ...listener, protocol, hostname: 'a.com' }],
    good: [[{ ...listener, protocol: 'HTTP', hostname: 'a.com' }]],
    says: '[0].hostname: Forbidden',
  })),
  'Listener name must be unique within the Gateway': [
    {
      bad: [listener, { ...listener, port: 81 }],
      good: [[listener, { ...listener, name: 'b', port: 81 }]],
      says: '[1].name: Duplicate value: "a"',
    },
  ],
  'Combination of port, protocol and hostname must be unique for each listener': [
    {
      bad: [listener, { ...listener, name: 'b' }],
      good: [
        [listener, { ...listener, name: 'b', hostname: 'a.com' }],
        [listener, { ...listener, name: 'b', port: 81 }],
        [listener, { ...listener, name: 'b', protocol: 'TCP' }],
      ],
      says: '[1]: Conflict: listener a has the same port, protocol and hostname',
    },
    {
      bad: [
        { ...listener, hostname: 'a.com' },
        { ...listener, name: 'b', hostname: 'a.com' },
      ],
      says: '[1]: Conflict: listener a has the same port, protocol and hostname',
    },
  ],
  'certificateRefs or options must be specified when mode is Terminate': [
    {
      bad: {},
      good: [certificate, { options: { 'a.com/b': 'c' } }, { mode: 'Passthrough' }],
      says: 'certificateRefs: Required value',
    },
    { bad: { mode: 'Terminate', certificateRefs: [], options: {} }, says: 'certificateRefs: Required value' },
  ],
  'Port for TLS configuration must be unique within the Gateway': [
    {
      bad: [
        { port: 1, tls: {} },
        { port: 1, tls: {} },
      ],
      good: [
        [
          { port: 1, tls: {} },
          { port: 2, tls: {} },
        ],
      ],
      says: '[1].port: Duplicate value: 1',
    },
  ],

  'sectionName must be specified when targetRefs includes 2 or more references to the same target': [
    {
      bad: [service, { ...service, sectionName: 'b' }],
      good: [[service, { ...service, name: 'b' }]],
      says: '[1]: Conflict: a is meant as a whole and by its ports',
    },
  ],
  'sectionName must be unique when targetRefs includes 2 or more references to the same target': [
    {
      bad: [service, service],
      good: [
        [
          { ...service, sectionName: 'a' },
          { ...service, sectionName: 'b' },
        ],
      ],
      says: '[1]: Duplicate value: "a"',
    },
    {
      bad: [
        { ...service, sectionName: 'b' },
        { ...service, sectionName: 'b' },
      ],
      says: '[1]: Duplicate value: "a"',
    },
  ],
  'must not contain both CACertificateRefs and WellKnownCACertificates': [
    {
      bad: { hostname: 'a.com', caCertificateRefs: [service], wellKnownCACertificates: 'System' },
      good: [
        { hostname: 'a.com', caCertificateRefs: [service] },
        { hostname: 'a.com', caCertificateRefs: [], wellKnownCACertificates: 'System' },
      ],
      says: 'wellKnownCACertificates: Conflict',
    },
  ],
  'must specify either CACertificateRefs or WellKnownCACertificates': [
    {
      bad: { hostname: 'a.com' },
      good: [{ hostname: 'a.com', wellKnownCACertificates: 'a.com/roots' }],
      says: 'caCertificateRefs: Required value',
    },
  ],
  'SubjectAltName element must contain Hostname, if Type is set to Hostname': [
    { bad: { type: 'Hostname' }, good: [{ type: 'Hostname', hostname: 'a.com' }], says: 'hostname: Required value' },
  ],
  'SubjectAltName element must not contain Hostname, if Type is not set to Hostname': [
    {
      bad: { type: 'URI', uri: 'spiffe://a/b', hostname: 'a.com' },
      good: [{ type: 'URI', uri: 'spiffe://a/b' }],
      says: 'hostname: Forbidden',
    },
  ],
  'SubjectAltName element must contain URI, if Type is set to URI': [
    { bad: { type: 'URI' }, good: [{ type: 'URI', uri: 'spiffe://a/b' }], says: 'uri: Required value' },
  ],
  'SubjectAltName element must not contain URI, if Type is not set to URI': [
    {
      bad: { type: 'Hostname', hostname: 'a.com', uri: 'spiffe://a/b' },
      good: [{ type: 'Hostname', hostname: 'a.com' }],
      says: 'uri: Forbidden',
    },
  ],
};
