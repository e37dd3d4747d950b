import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLogger } from '@weft/base';
import { CertificateAuthority, type IssuedKeyPair } from '@weft/identity/authority';
import { kinds } from '@weft/resources';
import { type ApiServer, type ApiServerOptions, createApiServer, openSqliteStorage } from '../../src/index.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed when it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind
  readonly body: any;
}

export interface WatchStream {
  /** The next event; undefined at the end of the stream. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every kind
  next(): Promise<any>;
  close(): void;
}

/** A client of the server with one credential. */
export interface ApiUser {
  request(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string | string[]>>,
  ): Promise<Reply>;
  /** Opens a watch and resolves when the server has answered. @throws Error with the status when that is not 200. */
  watch(path: string, headers?: Readonly<Record<string, string>>): Promise<WatchStream>;
  get(path: string): Promise<Reply>;
}

export interface TestServer {
  readonly server: ApiServer;
  readonly url: string;
  readonly folder: string;
  readonly ca: CertificateAuthority;
  readonly trustBundle: string;
  /** Client certificate of group `system:masters`. */
  readonly admin: ApiUser;
  /** No credential, or a bearer token. */
  user(token?: string): ApiUser;
  certificateUser(pair: { readonly chainPem: string; readonly keyPem: string }): ApiUser;
  issue(name: string, groups: readonly string[]): Promise<{ readonly chainPem: string; readonly keyPem: string }>;
  /** Writes a kubeconfig of the administrator and returns its path. */
  kubeconfig(): Promise<string>;
}

/** A server on a free port with its storage in a folder of its own; all is gone after the test. */
export async function startApi(context: TestContext, options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-api-'));
  const ca = await CertificateAuthority.open({ folder: join(folder, 'ca'), logger: silentLogger });
  const serving = await ca.issueServer({ ipAddresses: ['127.0.0.1'] });
  const trustBundle = ca.trustBundle.value.pem;
  const server = await createApiServer({
    kinds,
    storage: openSqliteStorage({ path: join(folder, 'weft.db') }),
    tls: { cert: serving.chainPem, key: serving.key.revealPem() },
    clientCa: trustBundle,
    ...options,
  });
  const url = await server.listen();
  const agents: Agent[] = [];
  context.after(async () => {
    for (const agent of agents) {
      agent.destroy();
    }
    await server.close();
    ca.close();
    await rm(folder, { recursive: true, force: true });
  });
  const withAgent = (agentOptions: object, headers: Readonly<Record<string, string>> = {}): ApiUser => {
    const agent = new Agent({ keepAlive: true, ca: trustBundle, ...agentOptions });
    agents.push(agent);
    return createUser(url, agent, headers);
  };
  const issue = async (
    name: string,
    groups: readonly string[],
  ): Promise<{ readonly chainPem: string; readonly keyPem: string }> => {
    const pair: IssuedKeyPair = await ca.issueClient(name, groups);
    return { chainPem: pair.chainPem, keyPem: pair.key.revealPem() };
  };
  const administrator = await issue('admin', ['system:masters']);
  const certificateUser: TestServer['certificateUser'] = ({ chainPem, keyPem }) =>
    withAgent({ cert: chainPem, key: keyPem });
  return {
    server,
    url,
    folder,
    ca,
    trustBundle,
    admin: certificateUser(administrator),
    user: (token) => withAgent({}, token === undefined ? {} : { authorization: `Bearer ${token}` }),
    certificateUser,
    issue,
    async kubeconfig() {
      const path = join(folder, 'kubeconfig');
      await writeFile(path, kubeconfigText(url, trustBundle, administrator), { mode: 0o600 });
      return path;
    },
  };
}

/** A client with an agent (its credentials) and headers that go with every request. */
export function createUser(url: string, agent: Agent, standing: Readonly<Record<string, string>>): ApiUser {
  const user: ApiUser = {
    request: (method, path, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const sent =
          body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
        const outgoing = request(
          new URL(path, url),
          {
            method,
            agent,
            headers: { ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...standing, ...headers },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () => {
              const raw = Buffer.concat(chunks);
              const isJson = /json/.test(response.headers['content-type'] ?? '');
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                body: isJson && raw.length > 0 ? JSON.parse(raw.toString()) : raw.toString(),
              });
            });
            response.on('error', reject);
          },
        );
        outgoing.on('error', reject);
        outgoing.end(sent);
      }),
    get: (path) => user.request('GET', path),
    watch: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        const outgoing = request(new URL(path, url), { agent, headers: { ...standing, ...headers } }, (response) => {
          if (response.statusCode !== 200) {
            response.resume();
            reject(new Error(`watch answered ${response.statusCode}`));
            return;
          }
          const events: unknown[] = [];
          let wake: (() => void) | undefined;
          let ended = false;
          let pending = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            const lines = (pending + chunk).split('\n');
            pending = lines.pop() ?? '';
            events.push(...lines.map((line) => JSON.parse(line) as unknown));
            wake?.();
          });
          response.on('error', () => undefined);
          response.on('close', () => {
            ended = true;
            wake?.();
          });
          resolve({
            async next() {
              while (events.length === 0 && !ended) {
                await new Promise<void>((done) => {
                  wake = done;
                });
              }
              return events.shift();
            },
            close: () => outgoing.destroy(),
          });
        });
        outgoing.on('error', reject);
        outgoing.end();
      }),
  };
  return user;
}

function kubeconfigText(
  url: string,
  trustBundle: string,
  user: { readonly chainPem: string; readonly keyPem: string },
): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': base64(trustBundle) } }],
    users: [
      {
        name: 'admin',
        user: { 'client-certificate-data': base64(user.chainPem), 'client-key-data': base64(user.keyPem) },
      },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'default' } }],
  });
}
