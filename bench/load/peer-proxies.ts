/**
 * The other proxies of a comparison, each with one worker on one core and keep-alive to its upstream. `plain` is the bare proxy; it does
 * less than a sidecar does (no metrics by route, no request id, no retries), which `bench/README.md` says beside the figures.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

/** A proxy or server that runs for a benchmark. */
export interface Running {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

async function waitForPort(port: number, child: ChildProcess, name: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) {
      throw new Error(`${name} ended with code ${child.exitCode} before it listened on port ${port}`);
    }
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} does not listen on port ${port}`);
}

async function start(
  name: string,
  command: string,
  args: readonly string[],
  port: number,
  core: number,
): Promise<Running> {
  const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  await waitForPort(port, child, name);
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        child.once('close', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

/** A server that answers every request with 200 and a small body, as cheaply as can be had. */
export function startUpstream(folder: string, port: number, core: number): Promise<Running> {
  const home = join(folder, `upstream-${port}`);
  mkdirSync(home, { recursive: true });
  const config = join(home, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${home}/pid; error_log /dev/null crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; client_body_temp_path ${home}/b; proxy_temp_path ${home}/p;
  fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  server { listen 127.0.0.1:${port}; location / { default_type application/json; return 200 '{"name":"bench","items":[1,2,3,4,5,6,7,8,9,10],"text":"a small and honest body"}'; } }
}
`,
  );
  return start('upstream', 'nginx', ['-p', home, '-c', config], port, core);
}

export function startNginx(folder: string, port: number, upstreamPort: number, core: number): Promise<Running> {
  const home = join(folder, `nginx-${port}`);
  mkdirSync(home, { recursive: true });
  const config = join(home, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${home}/pid; error_log /dev/null crit;
events { worker_connections 4096; }
http {
  access_log ${home}/access.log combined buffer=64k flush=1s; keepalive_requests 100000000; client_body_temp_path ${home}/b; proxy_temp_path ${home}/p;
  fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  upstream target { server 127.0.0.1:${upstreamPort}; keepalive 128; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://target; } }
}
`,
  );
  return start('nginx', 'nginx', ['-p', home, '-c', config], port, core);
}

export function startHaproxy(folder: string, port: number, upstreamPort: number, core: number): Promise<Running> {
  const home = join(folder, `haproxy-${port}`);
  mkdirSync(home, { recursive: true });
  const config = join(home, 'haproxy.cfg');
  writeFileSync(
    config,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  default_backend target
backend target
  http-reuse always
  server s1 127.0.0.1:${upstreamPort}
`,
  );
  return start('haproxy', 'haproxy', ['-db', '-f', config], port, core);
}
