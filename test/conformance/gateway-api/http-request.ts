import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type PeerCertificate } from 'node:tls';
import type { KeyPair } from './certificates.ts';

export interface HttpAnswer {
  readonly status: number;
  /** Values of one name joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpRequest {
  readonly address: string;
  readonly port: number;
  readonly method: string;
  /** Or a whole URL, for a proxy. */
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: { readonly sni: string; readonly trusted: string; readonly client?: KeyPair | undefined };
}

const timeoutMs = 10_000;

/** One request on a connection of its own. @throws Error when no answer comes. */
export function sendHttp({ address, port, method, path, host, headers, tls }: HttpRequest): Promise<HttpAnswer> {
  const options: RequestOptions = {
    host: address,
    port,
    method,
    path,
    headers: { host, ...headers },
    agent: false,
    timeout: timeoutMs,
  };
  return new Promise((resolve, reject) => {
    const outgoing =
      tls === undefined
        ? httpRequest(options)
        : httpsRequest({ ...options, ...tlsOptions(tls.sni, tls.trusted), ...shown(tls.client) });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: joined(response.rawHeaders), body }),
      );
    });
    outgoing.end();
  });
}

/** Names in lower case. */
function joined(raw: readonly string[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const before = headers[name];
    headers[name] = before === undefined ? (raw[index + 1] ?? '') : `${before},${raw[index + 1]}`;
  }
  return headers;
}

/** The certificate itself is the only anchor, and its names are compared label by label: a star alone is any one label. */
function tlsOptions(sni: string, trusted: string) {
  return {
    servername: sni,
    ca: trusted,
    allowPartialTrustChain: true,
    checkServerIdentity: (name: string, { subjectaltname = '' }: PeerCertificate): Error | undefined => {
      const names = subjectaltname.split(', ').flatMap((entry) => (entry.startsWith('DNS:') ? entry.slice(4) : []));
      return names.some((pattern) => covers(pattern, name))
        ? undefined
        : new Error(`the certificate is for ${subjectaltname}, not for ${name}`);
    },
  };
}

function shown(client: KeyPair | undefined) {
  return client === undefined ? {} : { cert: client.certificate, key: client.key };
}

function covers(pattern: string, name: string): boolean {
  const labels = name.split('.');
  const wanted = pattern.split('.');
  return wanted.length === labels.length && wanted.every((label, index) => label === '*' || label === labels[index]);
}

/** What the line protocol of a TCP backend tells of itself over TLS. */
export interface TlsEcho {
  readonly pod: string;
  readonly namespace: string;
  /** undefined: the backend was reached without TLS. */
  readonly sni?: string;
}

/** @returns undefined: the connection ended before the handshake was complete. */
export function askOverTls(
  address: string,
  port: number,
  sni: string,
  trusted: string | undefined,
): Promise<TlsEcho | undefined> {
  return new Promise((resolve, reject) => {
    let isOpen = false;
    let text = '';
    const socket = connect({
      host: address,
      port,
      ...(trusted === undefined ? { servername: sni, rejectUnauthorized: false } : tlsOptions(sni, trusted)),
    });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    socket.on('secureConnect', () => {
      isOpen = true;
      socket.write('TEST\n');
    });
    socket.on('data', (data) => {
      text += data.toString();
      const line = text.split('\n').find((each) => each.startsWith('{') && each.endsWith('}'));
      if (line !== undefined) {
        resolve(JSON.parse(line) as TlsEcho);
        socket.end();
      }
    });
    socket.on('error', (error) => (isOpen ? reject(error) : resolve(undefined)));
    socket.on('close', () => (isOpen ? reject(new Error('closed after the handshake')) : resolve(undefined)));
  });
}
