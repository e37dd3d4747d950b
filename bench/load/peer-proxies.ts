/**
 * nginx and HAProxy, one worker on one core, with keep-alive to the upstream. They do less than a sidecar does (no metrics by route, no request id,
 * no retries), which `bench/README.md` says beside the figures.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@weft/testkit';
import { programPath, proxyCore, type Running, startPinned } from './running.ts';
import type { Secrets } from './sidecar-config.ts';
import { nginxConfig } from './upstreams.ts';

/** TLS on the side of the upstream (`to`) or of the client (`from`) of a hop, with certificates of the mesh on both ends. */
export interface PeerTls {
  readonly side: 'from' | 'to';
  readonly secrets: Secrets;
}

/** @param options.protocol `http1`: both sides; `http2`: to the client, and HTTP/1.1 to the upstream, as nginx has no other; `grpc`: HTTP/2 both sides. */
export async function startNginx(options: {
  readonly folder: string;
  readonly upstreamPort: number;
  readonly protocol: 'http1' | 'http2' | 'grpc';
  readonly tls?: PeerTls;
}): Promise<Running> {
  const { folder, upstreamPort, protocol, tls } = options;
  const port = await freePort();
  const home = join(folder, `nginx-${port}`);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const listen = `listen 127.0.0.1:${port} ${tls?.side === 'from' ? 'ssl' : ''} ${protocol === 'http1' ? '' : 'http2'};`;
  const pass =
    protocol === 'grpc'
      ? 'grpc_pass grpc://target;'
      : `proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass ${tls?.side === 'to' ? 'https' : 'http'}://target;`;
  const config = nginxConfig(home, [
    `access_log ${home}/access.log combined buffer=64k flush=1s;`,
    `upstream target { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; }`,
    `server { ${listen} ${nginxTls(home, tls)} location / { ${pass} } }`,
  ]);
  return startPinned('nginx', programPath('nginx'), ['-p', home, '-c', config], { port, core: proxyCore });
}

function nginxTls(home: string, tls: PeerTls | undefined): string {
  if (tls === undefined) {
    return '';
  }
  const { certificate, key, roots } = tlsFiles(home, tls.secrets);
  return tls.side === 'from'
    ? `ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_client_certificate ${roots}; ssl_verify_client on;
       ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:sessions:1m; ssl_session_tickets on;`
    : // The certificates of the mesh have URIs and no host names, which is all that nginx can check.
      `proxy_ssl_certificate ${certificate}; proxy_ssl_certificate_key ${key}; proxy_ssl_verify off; proxy_ssl_protocols TLSv1.2 TLSv1.3;`;
}

/** @param options.protocol both sides; with TLS it is chosen by ALPN. */
export async function startHaproxy(options: {
  readonly folder: string;
  readonly upstreamPort: number;
  readonly protocol: 'http1' | 'http2' | 'tcp';
  /** What the other side of the TLS speaks, where it differs. */
  readonly upstreamProtocol?: 'http1' | 'http2';
  readonly tls?: PeerTls;
}): Promise<Running> {
  const { folder, upstreamPort, protocol, tls } = options;
  const upstreamProtocol = options.upstreamProtocol ?? protocol;
  const port = await freePort();
  const home = join(folder, `haproxy-${port}`);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const config = join(home, 'haproxy.cfg');
  let bind = protocol === 'http2' && tls?.side !== 'from' ? 'proto h2' : '';
  let server = upstreamProtocol === 'http2' && tls?.side !== 'to' ? 'proto h2' : '';
  if (tls !== undefined) {
    const { both, roots } = tlsFiles(home, tls.secrets);
    const alpn = (value: 'http1' | 'http2' | 'tcp'): string =>
      value === 'tcp' ? '' : `alpn ${value === 'http2' ? 'h2' : 'http/1.1'}`;
    if (tls.side === 'from') {
      bind = `ssl crt ${both} ca-file ${roots} verify required ${alpn(protocol)}`;
    } else {
      server = `ssl crt ${both} ca-file ${roots} verify required ${alpn(upstreamProtocol)}`;
    }
  }
  writeFileSync(
    config,
    `global
  nbthread 1
  maxconn 8192
  tune.ssl.default-dh-param 2048
defaults
  mode ${protocol === 'tcp' ? 'tcp' : 'http'}
  timeout connect 5s
  timeout client 300s
  timeout server 300s
frontend in
  bind 127.0.0.1:${port} ${bind}
  default_backend target
backend target
${protocol === 'tcp' ? '' : '  http-reuse always\n'}  server s1 127.0.0.1:${upstreamPort} ${server}
`,
  );
  return startPinned('haproxy', programPath('haproxy'), ['-db', '-f', config], { port, core: proxyCore });
}

function tlsFiles(
  home: string,
  { keyPair, trustBundlePem }: Secrets,
): { readonly certificate: string; readonly key: string; readonly both: string; readonly roots: string } {
  const write = (name: string, text: string): string => {
    const file = join(home, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    certificate: write('certificate.pem', keyPair.certificatePem),
    key: write('key.pem', keyPair.keyPem),
    both: write('both.pem', `${keyPair.certificatePem}${keyPair.keyPem}`),
    roots: write('roots.pem', trustBundlePem),
  };
}
