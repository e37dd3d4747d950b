import { eventually } from '@weft/testkit';
import type { Echo } from './backends.ts';
import type { ConformanceMesh } from './conformance-mesh.ts';
import type { ConformanceCase } from './conformance-tests.ts';
import { GrpcCaller } from './grpc-call.ts';
import { askOverTls, type HttpAnswer, sendHttp } from './http-request.ts';
import { judgeBackend, judgeHttp, type Sent } from './judge-http.ts';

/** How long a row may take until it passes; the data allows 30 s. */
const rowTimeoutMs = 15_000;
/** How many answers in a row must be as expected. */
const inARow = 3;
const mirrorTimeoutMs = 10_000;

/** What a client sees that the other side turns away; not that the client turned the other side away, or that nobody answered. */
const rejected = /^(ECONNREFUSED|ECONNRESET|EPIPE|ERR_SSL_.*ALERT.*)$/;

/** Sends what a row says and judges the answer: undefined is as expected, a text says what is wrong. */
type Try = () => Promise<string | undefined>;

/** Replays one row. @returns what is wrong; undefined: it passes. */
export async function replay(mesh: ConformanceMesh, row: ConformanceCase): Promise<string | undefined> {
  switch (row.request.protocol) {
    case 'grpc (h2c)':
      return replayGrpc(mesh, row);
    case 'tls':
      return replayTls(mesh, row);
    default:
      return replayHttp(mesh, row);
  }
}

/** Until {@link inARow} tries in a row are as expected, or time is up. */
async function untilStable(attempt: Try): Promise<string | undefined> {
  let good = 0;
  let problem: string | undefined = 'never tried';
  try {
    await eventually(
      async () => {
        problem = await attempt().catch((error: Error) => error.message);
        good = problem === undefined ? good + 1 : 0;
        return good >= inARow;
      },
      { what: 'the row passes', timeoutMs: rowTimeoutMs, intervalMs: good > 0 ? 0 : 20 },
    );
    return undefined;
  } catch {
    return problem ?? 'not stable';
  }
}

async function replayHttp(mesh: ConformanceMesh, row: ConformanceCase): Promise<string | undefined> {
  const send = await httpSender(mesh, row);
  const since = new Map(mesh.pods.map((pod) => [pod, pod.paths.length]));
  const attempt: Try = async () => {
    if (row.response.connection === 'rejected') {
      return send().then(
        ({ answer }) => `the connection was accepted, and answered ${answer.status}`,
        (error: NodeJS.ErrnoException) => (rejected.test(error.code ?? '') ? undefined : error.message),
      );
    }
    const { sent, answer } = await send();
    return judgeHttp(row, sent, answer);
  };
  const problem = await untilStable(attempt);
  if (problem !== undefined) {
    return problem;
  }
  if (row.distribution !== undefined) {
    return replayDistribution(row.distribution, async () => {
      const { sent, answer } = await send();
      return { problem: judgeHttp(row, sent, answer), pod: (JSON.parse(answer.body) as Echo).pod };
    });
  }
  if (row.session !== undefined) {
    return replaySession(row.session, send);
  }
  for (let left = row.repeat ?? 0; left > 0; left -= 1) {
    const { sent, answer } = await send();
    const echo = JSON.parse(answer.body) as Echo;
    const [backend = '', ...more] = echo.headers['backend'] ?? [];
    const wrong =
      judgeHttp(row, sent, answer) ??
      (backend !== '' && more.length === 0 && echo.pod.startsWith(backend)
        ? undefined
        : `${echo.pod} saw the header Backend: ${echo.headers['backend']?.join(' and ')}`);
    if (wrong !== undefined) {
      return wrong;
    }
  }
  for (const { name, namespace } of row.mirroredTo ?? []) {
    const isCopied = (): boolean =>
      mesh.pods.some(
        (pod) =>
          pod.pod.startsWith(name) &&
          pod.namespace === namespace &&
          pod.paths.slice(since.get(pod)).includes(row.request.path ?? ''),
      );
    try {
      await eventually(isCopied, { what: `a copy at ${name}`, timeoutMs: mirrorTimeoutMs });
    } catch {
      return `no copy came to ${name}`;
    }
  }
  return undefined;
}

/** @param more headers besides those of the row. */
type Send = (more?: Readonly<Record<string, string>>) => Promise<{ readonly sent: Sent; readonly answer: HttpAnswer }>;

async function httpSender(mesh: ConformanceMesh, row: ConformanceCase): Promise<Send> {
  const { request, backendSetResponseHeaders } = row;
  const { method = 'GET', path = '/' } = request;
  const set = Object.entries(backendSetResponseHeaders ?? {}).map(([name, value]) => `${name}:${value}`);
  const headers = { ...request.headers, ...(set.length === 0 ? {} : { 'X-Echo-Set-Header': set.join(',') }) };
  if (row.from !== undefined) {
    const { httpProxyPort } = mesh.workload(row.from);
    const host = request.host ?? 'echo';
    const sent: Sent = { scheme: 'http', host, path };
    const target = { address: '127.0.0.1', port: httpProxyPort, method, path: `http://${host}${path}`, host, headers };
    return async (more = {}) => ({ sent, answer: await sendHttp({ ...target, headers: { ...headers, ...more } }) });
  }
  const secure = request.protocol === 'https';
  const { address, port, listens } = await mesh.place(
    row.gateway ?? '',
    secure ? ['HTTPS', 'TLS'] : ['HTTP'],
    row.port,
  );
  const wellKnown = port === (secure ? 443 : 80);
  const host = request.host ?? (wellKnown ? address : `${address}:${port}`);
  const sent: Sent = { scheme: secure ? 'https' : 'http', host, path };
  const client = mesh.secrets.get(request.clientCertificate ?? '');
  const tls = secure ? { tls: { sni: request.sni ?? host, trusted: trustedOf(mesh, row) ?? '', client } } : {};
  const target = { address, port: listens, method, path, host, headers, ...tls };
  return async (more = {}) => ({ sent, answer: await sendHttp({ ...target, headers: { ...headers, ...more } }) });
}

/** The certificate of the Secret that a row or its note names. */
function trustedOf(mesh: ConformanceMesh, { request, note = '' }: ConformanceCase): string | undefined {
  const key = request.trusted ?? /in Secret (\S+) and the handshake/.exec(note)?.[1];
  return key === undefined ? undefined : mesh.secrets.get(key)?.certificate;
}

/** Enough that several pods would not all be the same one by chance. */
const sessionRequests = 20;

/** A client that shows what its first answer brought stays at the pod that gave it. */
async function replaySession(
  { kind, name }: NonNullable<ConformanceCase['session']>,
  send: Send,
): Promise<string | undefined> {
  const { answer } = await send();
  const { pod } = JSON.parse(answer.body) as Echo;
  const given = kind === 'header' ? answer.headers[name.toLowerCase()] : answer.headers['set-cookie'];
  const value = kind === 'header' ? given : new RegExp(`(?:^|,)(${name}=[^;]+)`).exec(given ?? '')?.[1];
  if (value === undefined) {
    return `the answer brought no ${kind} ${name}`;
  }
  const pods = new Set<string>();
  for (let left = sessionRequests; left > 0; left -= 1) {
    const next = await send({ [kind === 'header' ? name : 'cookie']: value });
    pods.add((JSON.parse(next.answer.body) as Echo).pod);
  }
  return pods.size === 1 && pods.has(pod) ? undefined : `${[...pods].join(', ')} answered a session of ${pod}`;
}

interface Share {
  readonly problem: string | undefined;
  readonly pod: string;
}

/** The share of each backend is within bounds in one of several runs. */
async function replayDistribution(
  { weights, requests, concurrency, tolerance, maxRuns }: NonNullable<ConformanceCase['distribution']>,
  send: () => Promise<Share>,
): Promise<string | undefined> {
  let problem: string | undefined;
  for (let run = 0; run < maxRuns; run += 1) {
    const counts = new Map<string, number>();
    let left = requests;
    let wrong: string | undefined;
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (left > 0) {
          left -= 1;
          const share = await send();
          wrong ??= share.problem;
          const backend = Object.keys(weights).find((name) => share.pod.startsWith(name)) ?? share.pod;
          counts.set(backend, (counts.get(backend) ?? 0) + 1);
        }
      }),
    );
    const outside = [...new Set([...counts.keys(), ...Object.keys(weights)])].filter((name) => {
      const weight = weights[name] ?? 0;
      const share = (counts.get(name) ?? 0) / requests;
      return weight === 0 ? share > 0 : share === 0 || Math.abs(share - weight) > tolerance;
    });
    if (outside.length === 0 && wrong === undefined) {
      return undefined;
    }
    problem = wrong ?? `shares: ${[...counts].map(([name, count]) => `${name} ${count}`).join(', ')} of ${requests}`;
  }
  return problem;
}

async function replayGrpc(mesh: ConformanceMesh, row: ConformanceCase): Promise<string | undefined> {
  const { address, listens } = await mesh.place(row.gateway ?? '', ['HTTP']);
  const { authority = address, method = '', metadata = {} } = row.request;
  const caller = new GrpcCaller(`${address}:${listens}`, authority);
  const send = async (): Promise<Share> => {
    const { code, message, echo } = await caller.call(method, metadata);
    if (code !== row.response.grpcCode) {
      return { problem: `${code} (${message}), not ${row.response.grpcCode}`, pod: '' };
    }
    const problem =
      echo === undefined
        ? undefined
        : echo.method === method
          ? judgeBackend(row, echo)
          : `method ${echo.method} was called, not ${method}`;
    return { problem, pod: echo?.pod ?? '' };
  };
  try {
    const problem = await untilStable(async () => (await send()).problem);
    return problem ?? (row.distribution === undefined ? undefined : await replayDistribution(row.distribution, send));
  } finally {
    caller.close();
  }
}

async function replayTls(mesh: ConformanceMesh, row: ConformanceCase): Promise<string | undefined> {
  const { address, listens } = await mesh.place(row.gateway ?? '', ['TLS', 'HTTPS']);
  const { sni = '' } = row.request;
  const { connection, backendIsTLS, sniSeenByBackend } = row.response;
  return untilStable(async () => {
    if (connection === 'rejected') {
      const echo = await askOverTls(address, listens, sni, undefined);
      return echo === undefined ? undefined : 'the connection was accepted';
    }
    const echo = await askOverTls(address, listens, sni, trustedOf(mesh, row));
    if (echo === undefined) {
      return 'the connection was refused';
    }
    if (backendIsTLS !== undefined && backendIsTLS !== (echo.sni !== undefined)) {
      return `the backend ${echo.sni === undefined ? 'saw no TLS' : 'saw TLS'}`;
    }
    return sniSeenByBackend === undefined || sniSeenByBackend === echo.sni
      ? judgeBackend(row, echo)
      : `the backend saw the server name ${echo.sni}`;
  });
}
