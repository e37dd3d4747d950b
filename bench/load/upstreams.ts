/** What stands behind the proxies: native servers that are cheap, on the core of the load. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@weft/testkit';
import { loadCore, programPath, type Running, startPinned } from './running.ts';

const answer = '{"name":"bench","items":[1,2,3,4,5,6,7,8,9,10],"text":"a small and honest body"}';

/** Path of the unary call that {@link startHttp2Upstream} answers. */
export const grpcPath = '/weft.bench.v1.Bench/Call';

/** One message of gRPC: not compressed, 32 bytes. */
export function grpcMessage(): Buffer {
  const message = Buffer.alloc(5 + 32, 0x61);
  message[0] = 0;
  message.writeUInt32BE(32, 1);
  return message;
}

/** nginx: every request is answered with 200 and a small body. HTTP/1.1 with keep-alive. */
export function startHttp1Upstream(folder: string): Promise<Running> {
  return startNginxServer(folder, (port) => [
    `server { listen 127.0.0.1:${port}; location / { default_type application/json; return 200 '${answer}'; } }`,
  ]);
}

/** nginx, HTTP/2 by prior knowledge: the same answer at every path, and at {@link grpcPath} a gRPC message with the status in trailers. */
export function startHttp2Upstream(folder: string): Promise<Running> {
  const root = join(folder, 'grpc');
  mkdirSync(join(root, grpcPath, '..'), { recursive: true });
  writeFileSync(join(root, grpcPath), grpcMessage());
  return startNginxServer(folder, (port) => [
    `open_file_cache max=10 inactive=1h; open_file_cache_valid 1h;`,
    `server {
      listen 127.0.0.1:${port} http2; http2_max_concurrent_streams 1000; client_body_buffer_size 64k;
      location / { default_type application/json; return 200 '${answer}'; }
      location = ${grpcPath} {
        root ${root}; default_type application/grpc; error_page 405 =200 ${grpcPath}; add_trailer grpc-status 0 always;
      }
    }`,
  ]);
}

/** iperf3 as the receiver of TCP streams. */
export async function startTcpUpstream(): Promise<Running> {
  const port = await freePort();
  return startPinned('iperf3', programPath('iperf3'), ['-s', '-B', '127.0.0.1', '-p', String(port)], {
    port,
    core: loadCore,
  });
}

async function startNginxServer(folder: string, http: (port: number) => readonly string[]): Promise<Running> {
  const port = await freePort();
  const home = join(folder, `upstream-${port}`);
  const config = nginxConfig(home, ['access_log off;', ...http(port)]);
  return startPinned('upstream', programPath('nginx'), ['-p', home, '-c', config], { port, core: loadCore });
}

/** Writes a configuration of one worker in the foreground. @param http lines of the `http` block. @returns the file. */
export function nginxConfig(home: string, http: readonly string[]): string {
  mkdirSync(home, { recursive: true });
  const config = join(home, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${home}/${kind};`,
  );
  writeFileSync(
    config,
    // A worker of root's nginx is nobody, who may not read the files of a benchmark.
    `${process.getuid?.() === 0 ? 'user root; ' : ''}daemon off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log crit;
events { worker_connections 16384; }
http { keepalive_requests 1000000000; ${temporary.join(' ')}
${http.join('\n')}
}
`,
  );
  return config;
}
