import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

/** A small client of the resource API for tests, with the credentials of a kubeconfig that Weft wrote. */
export interface TestApi {
  /** Sends one request. @returns status and parsed JSON body; never throws for a status. */
  request(
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
  /**
   * Watches a collection from now on. `started` resolves when the server has answered, `found` with the first object
   * for which `test` holds.
   */
  watchUntil(
    path: string,
    test: (object: unknown) => boolean,
  ): { readonly started: Promise<void>; readonly found: Promise<unknown> };
  close(): void;
}

interface KubeconfigParts {
  readonly server: string;
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads the embedded credentials by their field names: enough for the files that Weft writes. */
function readKubeconfig(path: string): KubeconfigParts {
  const text = readFileSync(path, 'utf8');
  const field = (name: string): string => {
    const match = new RegExp(`"?${name}"?:\\s*"?([^"\\s,]+)"?`).exec(text);
    if (match?.[1] === undefined) {
      throw new Error(`${path} has no ${name}`);
    }
    return match[1];
  };
  const data = (name: string): Buffer => Buffer.from(field(name), 'base64');
  return {
    server: field('server'),
    ca: data('certificate-authority-data'),
    cert: data('client-certificate-data'),
    key: data('client-key-data'),
  };
}

/** @param kubeconfig path of the file. */
export function createTestApi(kubeconfig: string): TestApi {
  const { server, ca, cert, key } = readKubeconfig(kubeconfig);
  const agent = new Agent({ keepAlive: true, ca, cert, key });
  return {
    request(method, path, body, contentType = 'application/json') {
      return new Promise((resolve, reject) => {
        const outgoing = request(
          new URL(path, server),
          {
            method,
            agent,
            headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': contentType }) },
          },
          (response) => {
            let text = '';
            response.setEncoding('utf8');
            response.on('data', (chunk: string) => {
              text += chunk;
            });
            response.on('end', () => {
              const isJson = /json/.test(response.headers['content-type'] ?? '');
              resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text });
            });
            response.on('error', reject);
          },
        );
        outgoing.on('error', reject);
        outgoing.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
      });
    },
    watchUntil(path, test) {
      const url = new URL(path, server);
      url.searchParams.set('watch', 'true');
      const started = Promise.withResolvers<void>();
      const found = Promise.withResolvers<unknown>();
      const outgoing = request(url, { agent }, (response) => {
        started.resolve();
        let pending = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          const lines = (pending + chunk).split('\n');
          pending = lines.pop() ?? '';
          for (const line of lines) {
            const { object } = JSON.parse(line) as { readonly object: unknown };
            if (test(object)) {
              found.resolve(object);
              outgoing.destroy();
              return;
            }
          }
        });
        response.on('close', () => found.reject(new Error(`the watch of ${path} ended`)));
      });
      outgoing.on('error', (error) => {
        started.reject(error);
        found.reject(error);
      });
      outgoing.end();
      found.promise.catch(() => undefined);
      return { started: started.promise, found: found.promise };
    },
    close: () => agent.destroy(),
  };
}
