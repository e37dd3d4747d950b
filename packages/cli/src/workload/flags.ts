import { isIP } from 'node:net';
import { usageFailure } from '../cli-failure.ts';
import type { Engine } from './workload-spec.ts';

/** Protocols that a port may speak. */
const protocols = ['http', 'http2', 'grpc', 'grpc-web', 'tcp', 'auto'] as const;
export type Protocol = (typeof protocols)[number];

/** `--upstream NAME[.NAMESPACE][:PORT][=LOCAL]` */
export interface UpstreamFlag {
  /** As written: a short or full host name. */
  readonly host: string;
  /** Port of the service; undefined: the only port that the service has, else 80. */
  readonly port: number | undefined;
  /** Local port to listen on; undefined: any free one. */
  readonly localPort: number | undefined;
}

/** `--port [SERVICE:]APP`; APP is a port or `unix:PATH`. */
export interface PortFlag {
  /** Port of the service that peers name; undefined: that of the existing service, else 80 for HTTP. */
  readonly servicePort: number | undefined;
  /** Port that the command listens on; undefined (or 0): any free one, told to it in PORT. */
  readonly appPort: number | undefined;
  /** Unix socket that the command listens on instead of a port. */
  readonly socket?: string;
}

/** Longest path of a Unix socket on Linux, bytes. */
const maxSocketPathBytes = 107;

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const hostPattern = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** @throws CliFailure (a usage mistake) that names the flag. */
export function parseUpstream(text: string): UpstreamFlag {
  const match = /^([^:=]+)(?::(\d+))?(?:=(\d+))?$/.exec(text);
  const host = match?.[1];
  if (match === null || host === undefined || !hostPattern.test(host)) {
    throw usageFailure(
      `--upstream ${JSON.stringify(text)} is not of the form NAME[:PORT][=LOCALPORT]`,
      'name a service, for example --upstream reviews, --upstream cache:7000 or --upstream storefront:80=8080',
    );
  }
  return {
    host,
    port: match[2] === undefined ? undefined : parsePortNumber(match[2], '--upstream'),
    localPort: match[3] === undefined ? undefined : parsePortNumber(match[3], '--upstream'),
  };
}

function requireSocketPath(flag: string, path: string, fix: string): string {
  if (!path.startsWith('/') || Buffer.byteLength(path) > maxSocketPathBytes) {
    throw usageFailure(
      `${flag}: ${JSON.stringify(path)} is not an absolute path of at most ${maxSocketPathBytes} bytes`,
      fix,
    );
  }
  return path;
}

/** A socket that the proxy may open. @throws CliFailure (a usage mistake). */
export function parseUnixSocket(path: string): string {
  return requireSocketPath(
    '--unix-socket',
    path,
    'give the path that `bind` has after unix://, for example /run/app.sock',
  );
}

/** @throws CliFailure (a usage mistake) that names the flag. */
export function parsePort(text: string): PortFlag {
  const [, service, socket] = /^(?:(\d+):)?unix:(.+)$/.exec(text) ?? [];
  if (socket !== undefined) {
    return {
      servicePort: service === undefined ? undefined : parsePortNumber(service, '--port'),
      appPort: undefined,
      socket: requireSocketPath(
        '--port',
        socket,
        'give the socket that the command listens on, for example --port 80:unix:/run/app.sock',
      ),
    };
  }
  const match = /^(?:(\d+):)?(\d+)$/.exec(text);
  if (match === null) {
    throw usageFailure(
      `--port ${JSON.stringify(text)} is not of the form [SERVICEPORT:]PORT`,
      'give the port that the command listens on, for example --port 8080 or --port 80:8080; 0 asks for a free one, unix:/PATH is a socket',
    );
  }
  const app = Number(match[2]);
  return {
    servicePort: match[1] === undefined ? undefined : parsePortNumber(match[1], '--port'),
    appPort: app === 0 ? undefined : parsePortNumber(match[2] ?? '', '--port'),
  };
}

/** @throws CliFailure (a usage mistake) when `text` is none of {@link protocols}. */
export function parseProtocol(text: string): Protocol {
  const found = protocols.find((protocol) => protocol === text);
  if (found === undefined) {
    throw usageFailure(`unknown protocol ${JSON.stringify(text)}`, `use one of: ${protocols.join(', ')}`);
  }
  return found;
}

/** `PORT=LISTENPORT` of a gateway. @throws CliFailure (a usage mistake). */
export function parsePortMapping(text: string): { readonly port: number; readonly listenPort: number } {
  const [, port, listenPort] = /^(\d+)=(\d+)$/.exec(text) ?? [];
  if (port === undefined || listenPort === undefined) {
    throw usageFailure(
      `--port ${JSON.stringify(text)} is not of the form PORT=LISTENPORT`,
      'give the port of the Gateway and the one to listen on instead, for example --port 80=8080',
    );
  }
  return { port: parsePortNumber(port, '--port'), listenPort: parsePortNumber(listenPort, '--port') };
}

/** `KEY=VALUE`. @throws CliFailure (a usage mistake). */
export function parseLabel(text: string): readonly [string, string] {
  const [, key, value] = /^([A-Za-z0-9][-A-Za-z0-9_./]*)=([A-Za-z0-9]?[-A-Za-z0-9_.]*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw usageFailure(
      `--label ${JSON.stringify(text)} is not of the form KEY=VALUE`,
      'for example --label istio=ingressgateway',
    );
  }
  return [key, value];
}

/** @throws CliFailure (a usage mistake) when `text` is no IP address. */
export function parseAddress(flag: string, text: string): string {
  if (isIP(text) === 0) {
    throw usageFailure(
      `${flag} ${JSON.stringify(text)} is not an IP address`,
      'use an address of this machine, such as 127.0.0.1 or 0.0.0.0',
    );
  }
  return text;
}

/** @throws CliFailure (a usage mistake) when `text` is not the name of one of the engines. */
export function parseEngine<E extends Engine>(text: string, engines: readonly E[]): E {
  const found = engines.find((engine) => engine === text);
  if (found === undefined) {
    throw usageFailure(`unknown engine ${JSON.stringify(text)}`, `use one of: ${engines.join(', ')}`);
  }
  return found;
}

/** Names of services, namespaces, versions: DNS labels. */
export function requireLabel(flag: string, text: string): string {
  if (!label.test(text)) {
    throw usageFailure(
      `${flag} ${JSON.stringify(text)} is not a DNS label`,
      'use at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends',
    );
  }
  return text;
}

/** `WEFT_UPSTREAM_<NAME>` of an upstream: upper case, everything that is not a letter or digit becomes `_`. */
export function upstreamVariable(host: string): string {
  return `WEFT_UPSTREAM_${host.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

function parsePortNumber(text: string, flag: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw usageFailure(`${flag}: ${text} is not a port`, 'a port is a number from 1 to 65535');
  }
  return port;
}
