import { request as httpRequest, type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { WorkloadProbe } from '@weft/resources';

/** Bytes of an answer that are read: whoever sends more has answered. */
const maxBodyBytes = 10 * 1024;

/** What cannot be sent; undefined: all of it can. */
export function httpCheckProblem({
  path = '',
  httpHeaders = [],
}: NonNullable<WorkloadProbe['httpGet']>): string | undefined {
  if (/[^\x21-\x7e]/.test(path)) {
    return 'probe.httpGet.path: what is no printable ASCII, and spaces, are written with %';
  }
  for (const [index, { name = '', value = '' }] of httpHeaders.entries()) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      return `probe.httpGet.httpHeaders[${index}]: HTTP has no such header`;
    }
  }
  return undefined;
}

/**
 * Whether the workload answers a request with a status from 200 to 399. Never rejects.
 * @param host where to connect to when the check does not say it.
 */
export function answersHttp(
  check: NonNullable<WorkloadProbe['httpGet']>,
  host: string,
  signal: AbortSignal,
): Promise<boolean> {
  const headers = Object.fromEntries((check.httpHeaders ?? []).map(({ name = '', value = '' }) => [name, value]));
  const options = {
    host: check.host || host,
    port: check.port,
    path: check.path || '/',
    headers,
    agent: false,
    signal,
  };
  return new Promise((resolve) => {
    const request =
      check.scheme === 'HTTPS'
        ? // verified-by: nobody, as with Kubernetes' checks: they ask whether it serves, and the answer is believed as little as in plaintext
          httpsRequest({ ...options, rejectUnauthorized: false })
        : httpRequest(options);
    request.on(
      'response',
      (response) => void readToEnd(response).then((whole) => resolve(whole && isSuccess(response))),
    );
    request.on('error', () => resolve(false));
    request.end();
  });
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 400;
}

/** False: the body broke off. */
async function readToEnd(response: IncomingMessage): Promise<boolean> {
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      if (bytes > maxBodyBytes) {
        break;
      }
    }
    return true;
  } catch {
    return false;
  }
}
