import type { Echo } from './backends.ts';
import type { ConformanceCase } from './conformance-tests.ts';
import type { HttpAnswer } from './http-request.ts';

/** How a request was sent, for what the answer is compared with. */
export interface Sent {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly path: string;
}

const redirects: readonly number[] = [301, 302, 303, 307, 308];
const timeouts: readonly number[] = [408, 504];

/** What is wrong with an answer, by the rules of the data ("How a row is judged"); undefined: nothing. */
export function judgeHttp(row: ConformanceCase, sent: Sent, answer: HttpAnswer): string | undefined {
  const { statusCodes = [] } = row.response;
  const anyTimeout = statusCodes.some((code) => timeouts.includes(code));
  const { status } = answer;
  if (!statusCodes.includes(status) && !(anyTimeout && timeouts.includes(status))) {
    return `status ${status}, not ${statusCodes.join(' or ')}`;
  }
  if (status === 200 || status === 204) {
    return (
      judgeHeaders(row, answer) ?? (answer.body === '' ? undefined : judgeEcho(row, JSON.parse(answer.body) as Echo))
    );
  }
  return redirects.includes(status) ? judgeLocation(row, sent, answer.headers['location']) : undefined;
}

function judgeHeaders({ response }: ConformanceCase, { headers }: HttpAnswer): string | undefined {
  const shown = (value: string | undefined): string | undefined =>
    response.ignoreWhitespace === true ? value?.replaceAll(/\s/g, '') : value;
  for (const [name, value] of Object.entries(response.headers ?? {})) {
    const got = headers[name.toLowerCase()];
    if (shown(got) !== shown(value)) {
      return `response header ${name} is ${got}, not ${value}`;
    }
  }
  for (const [name, values] of Object.entries(response.validHeaderValues ?? {})) {
    const got = headers[name.toLowerCase()];
    if (!values.some((value) => shown(value) === shown(got))) {
      return `response header ${name} is ${got}, not one of ${values.join(' | ')}`;
    }
  }
  const present = (response.absentHeaders ?? []).find((name) => headers[name.toLowerCase()] !== undefined);
  return present === undefined ? undefined : `response header ${present} is there: ${headers[present.toLowerCase()]}`;
}

/** What the backend saw, and which one it is. */
function judgeEcho(row: ConformanceCase, echo: Echo): string | undefined {
  const expected = row.expectedRequest ?? row.request;
  const { absentHeaders = [] } = row.expectedRequest ?? {};
  const path = expected.path ?? row.request.path;
  const method = expected.method ?? 'GET';
  if (path !== echo.path || method !== echo.method) {
    return `the backend saw ${echo.method} ${echo.path}, not ${method} ${path}`;
  }
  if (expected.host !== undefined && expected.host !== echo.host) {
    return `the backend saw host ${echo.host}, not ${expected.host}`;
  }
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    const got = echo.headers[name.toLowerCase()]?.join(',');
    if (got !== value) {
      return `the backend saw ${name}: ${got}, not ${value}`;
    }
  }
  const { proto = echo.proto, tls = {} } = row.expectedRequest ?? {};
  const seen = { ...echo.tls, proto: echo.proto };
  for (const [name, value] of Object.entries({ ...tls, proto })) {
    const got = seen[name as keyof typeof seen];
    if (got !== value) {
      return `the backend saw ${name} ${got}, not ${value}`;
    }
  }
  const present = absentHeaders.find((name) => echo.headers[name.toLowerCase()] !== undefined);
  if (present !== undefined) {
    return `the backend saw ${present}: ${echo.headers[present.toLowerCase()]?.join(',')}`;
  }
  return judgeBackend(row, echo);
}

/** The pod that answered. */
export function judgeBackend(
  { backend = '', namespace }: ConformanceCase,
  by: { readonly pod: string; readonly namespace: string },
): string | undefined {
  if (!by.pod.startsWith(backend)) {
    return `pod ${by.pod} answered, not one of ${backend}`;
  }
  return namespace === undefined || namespace === '' || by.namespace === namespace
    ? undefined
    : `namespace ${by.namespace} answered, not ${namespace}`;
}

function judgeLocation(row: ConformanceCase, sent: Sent, location: string | undefined): string | undefined {
  const { redirectRequest: expected } = row;
  if (expected === undefined) {
    return undefined;
  }
  if (location === undefined) {
    return 'there is no location';
  }
  const url = new URL(location, `${sent.scheme}://${sent.host}${sent.path}`);
  const scheme = url.protocol.slice(0, -1);
  const written = /^[a-z]+:\/\/[^/?#]*?:(\d+)(?:[/?#]|$)/.exec(location)?.[1];
  const wellKnown = scheme === 'https' ? '443' : '80';
  const fits =
    scheme === (expected.scheme ?? sent.scheme) &&
    (expected.host === undefined || url.hostname === expected.host) &&
    (expected.port === undefined ? written === undefined || written === wellKnown : written === expected.port) &&
    url.pathname === (expected.path ?? new URL(sent.path, 'http://x').pathname);
  return fits ? undefined : `location ${location}, not ${JSON.stringify(expected)}`;
}
