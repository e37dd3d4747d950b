import { hostname } from 'node:os';
import { FieldMemo, type HeaderView } from '@weft/http-codec';
import { responseFlagsLongText, responseFlagsText } from '../response-flag.ts';
import type { ConnectionRecord, DownstreamConnectionInfo, StreamInfo, TlsFacts } from '../stream-info.ts';
import { compileTimeFormat } from './start-time.ts';

/** What a command yields: undefined is printed as `-` in text and as null in JSON. */
export type CommandValue = string | number | undefined;

/** One `%COMMAND(…)%`, compiled, for HTTP requests and for TCP connections. */
export interface Command {
  readonly http: (info: StreamInfo) => CommandValue;
  readonly tcp: (record: ConnectionRecord) => CommandValue;
}

const absent = (): undefined => undefined;
const textOf = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
const since = (start: number, end: number): number | undefined =>
  start === 0 || end === 0 ? undefined : Math.max(0, Math.round(end - start));

/** `ip` of `ip:port` and `[ip6]:port`; a path as it is. */
function addressWithoutPort(address: string): string {
  const colon = address.lastIndexOf(':');
  if (address.startsWith('/') || colon < 0) {
    return address;
  }
  return address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
}

function portOf(address: string): string | undefined {
  const colon = address.lastIndexOf(':');
  return address.startsWith('/') || colon < 0 ? undefined : address.slice(colon + 1);
}

const machine = hostname();

/** Commands whose value comes from what HTTP requests and TCP connections have in common. */
function shared(read: (entry: StreamInfo | ConnectionRecord) => CommandValue): Command {
  return { http: read, tcp: read };
}

const downstream = (read: (connection: DownstreamConnectionInfo) => CommandValue): Command =>
  shared((entry) => read(entry.downstream));
const downstreamTls = (read: (tls: TlsFacts) => string): Command =>
  shared(({ downstream: { tls } }) => (tls === undefined ? undefined : textOf(read(tls))));
const upstreamTls = (read: (tls: TlsFacts) => string): Command =>
  shared(({ upstreamTls: tls }) => (tls === undefined ? undefined : textOf(read(tls))));
const httpOnly = (http: Command['http']): Command => ({ http, tcp: absent });

const plain: Readonly<Record<string, Command>> = {
  PROTOCOL: httpOnly((info) => info.protocol),
  RESPONSE_CODE: { http: (info) => info.responseCode, tcp: () => 0 },
  RESPONSE_CODE_DETAILS: httpOnly((info) => textOf(withoutSpaces(info.responseCodeDetails))),
  RESPONSE_FLAGS: shared((entry) => responseFlagsText(entry.responseFlags)),
  RESPONSE_FLAGS_LONG: shared((entry) => responseFlagsLongText(entry.responseFlags)),
  CONNECTION_TERMINATION_DETAILS: shared((entry) => textOf(entry.connectionTerminationDetails)),
  BYTES_RECEIVED: shared((entry) => entry.bytesReceived),
  BYTES_SENT: shared((entry) => entry.bytesSent),
  DURATION: shared((entry) => since(entry.startMs, entry.endMs)),
  REQUEST_DURATION: httpOnly((info) => since(info.startMs, info.requestEndMs)),
  REQUEST_TX_DURATION: httpOnly((info) => since(info.startMs, info.upstreamRequestEndMs)),
  RESPONSE_DURATION: httpOnly((info) => since(info.startMs, info.upstreamResponseStartMs)),
  RESPONSE_TX_DURATION: httpOnly((info) => since(info.upstreamResponseStartMs, info.endMs)),
  UPSTREAM_HOST: shared((entry) => entry.endpoint?.address),
  UPSTREAM_REMOTE_ADDRESS: shared((entry) => entry.endpoint?.address),
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: shared(({ endpoint }) => endpoint && addressWithoutPort(endpoint.address)),
  UPSTREAM_REMOTE_PORT: shared(({ endpoint }) => endpoint && portOf(endpoint.address)),
  UPSTREAM_CLUSTER: shared((entry) => textOf(entry.cluster?.statName)),
  UPSTREAM_CLUSTER_RAW: shared((entry) => textOf(entry.cluster?.name)),
  UPSTREAM_LOCAL_ADDRESS: shared((entry) => textOf(entry.upstreamLocalAddress)),
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: shared((entry) => textOf(addressWithoutPort(entry.upstreamLocalAddress))),
  UPSTREAM_LOCAL_PORT: shared((entry) => portOf(entry.upstreamLocalAddress)),
  UPSTREAM_TRANSPORT_FAILURE_REASON: shared((entry) => textOf(entry.upstreamTransportFailureReason)),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: shared((entry) => entry.attemptCount),
  UPSTREAM_TLS_VERSION: upstreamTls((tls) => tls.version),
  UPSTREAM_TLS_CIPHER: upstreamTls((tls) => tls.cipher),
  UPSTREAM_PEER_URI_SAN: upstreamTls((tls) => tls.peerUris.join(',')),
  UPSTREAM_LOCAL_URI_SAN: upstreamTls((tls) => tls.localUri),
  DOWNSTREAM_REMOTE_ADDRESS: {
    http: (info) => trustedRemoteAddress(info),
    tcp: (record) => textOf(record.downstream.remoteAddress),
  },
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: {
    http: (info) => textOf(info.downstreamRemoteIp) ?? textOf(info.downstream.remoteIp),
    tcp: (record) => textOf(record.downstream.remoteIp),
  },
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: downstream((connection) => textOf(directAddress(connection))),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: downstream((connection) =>
    textOf(connection.directRemoteIp ?? connection.remoteIp),
  ),
  DOWNSTREAM_DIRECT_REMOTE_PORT: downstream((connection) => portOf(directAddress(connection))),
  DOWNSTREAM_LOCAL_ADDRESS: downstream((connection) => textOf(connection.localAddress)),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: downstream((connection) => textOf(connection.localIp)),
  DOWNSTREAM_LOCAL_PORT: downstream((connection) => connection.localPort),
  DOWNSTREAM_TLS_VERSION: downstreamTls((tls) => tls.version),
  DOWNSTREAM_TLS_CIPHER: downstreamTls((tls) => tls.cipher),
  DOWNSTREAM_PEER_URI_SAN: downstreamTls((tls) => tls.peerUris.join(',')),
  DOWNSTREAM_PEER_DNS_SAN: downstreamTls((tls) => tls.peerDnsNames.join(',')),
  DOWNSTREAM_PEER_SUBJECT: downstreamTls((tls) => tls.peerSubject),
  DOWNSTREAM_PEER_FINGERPRINT_256: downstreamTls((tls) => tls.peerCertificateSha256),
  DOWNSTREAM_LOCAL_URI_SAN: downstreamTls((tls) => tls.localUri),
  REQUESTED_SERVER_NAME: downstream((connection) => textOf(connection.requestedServerName)),
  CONNECTION_ID: downstream((connection) => connection.id),
  FILTER_CHAIN_NAME: downstream((connection) => textOf(connection.filterChainName)),
  ROUTE_NAME: httpOnly((info) => textOf(info.routeName)),
  VIRTUAL_HOST_NAME: httpOnly((info) => textOf(info.virtualHost?.name ?? '')),
  VIRTUAL_CLUSTER_NAME: httpOnly((info) => textOf(info.virtualClusterName)),
  STREAM_ID: httpOnly((info) => textOf(info.requestId)),
  GRPC_STATUS_NUMBER: httpOnly((info) => grpcStatus(info)),
  HOSTNAME: { http: () => machine, tcp: () => machine },
};

/** Envoy's way: a value is one word. */
function withoutSpaces(details: string): string {
  return details.includes(' ') ? details.replaceAll(' ', '_') : details;
}

/** Whom the socket is connected with, whatever a PROXY protocol header says. */
function directAddress(connection: DownstreamConnectionInfo): string {
  return connection.directRemoteAddress ?? connection.remoteAddress;
}

/** Envoy shows the address that the trusted hops of x-forwarded-for name, with port 0; else that of the connection. */
function trustedRemoteAddress(info: StreamInfo): string | undefined {
  const { downstreamRemoteIp: ip, downstream: connection } = info;
  if (ip === '' || ip === connection.remoteIp) {
    return textOf(connection.remoteAddress);
  }
  return ip.includes(':') ? `[${ip}]:0` : `${ip}:0`;
}

function grpcStatus(info: StreamInfo): number | undefined {
  const text = info.responseTrailers.get('grpc-status') ?? info.responseHeaders.get('grpc-status');
  return text !== undefined && /^\d{1,2}$/.test(text) ? Number(text) : undefined;
}

/** A request field or pseudo header. Paths are what went upstream; the original is in `x-envoy-original-path`. */
function requestField(name: string): (info: StreamInfo) => string | undefined {
  switch (name) {
    case ':method':
      return (info) => textOf(info.method);
    case ':path':
      return (info) => textOf(info.upstreamPath) ?? textOf(info.path);
    case ':authority':
    case 'host': {
      const host = new FieldMemo('host');
      return (info) => host.valueIn(info.requestHeaders) ?? textOf(info.authority);
    }
    case ':scheme':
      return (info) => info.scheme;
    default: {
      const field = new FieldMemo(name);
      return (info) => field.valueIn(info.requestHeaders);
    }
  }
}

function headerCommand(args: string, pick: (info: StreamInfo) => HeaderView): Command | string {
  return alternatives(args, (name) => {
    if (name === ':status') {
      return (info) => (info.responseCode === 0 ? undefined : String(info.responseCode));
    }
    const field = new FieldMemo(name);
    return (info) => field.valueIn(pick(info));
  });
}

/** `X?Y`: X, or Y when X is absent. */
function alternatives(
  args: string,
  reader: (name: string) => (info: StreamInfo) => string | undefined,
): Command | string {
  const names = args.split('?').map((name) => name.trim().toLowerCase());
  const [first = '', second] = names;
  if (first === '' || second === '' || names.length > 2) {
    return 'needs one header name, or two with ? between';
  }
  const main = reader(first);
  const other = second === undefined ? absent : reader(second);
  return httpOnly((info) => main(info) ?? other(info));
}

/** `%GRPC_STATUS%`: names in camel case unless the argument asks for others. */
const grpcNames = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
]; // prettier-ignore

function grpcStatusCommand(args: string): Command | string {
  if (args !== '' && args !== 'CAMEL_STRING' && args !== 'NUMBER') {
    return `the argument ${JSON.stringify(args)} is not supported`;
  }
  return httpOnly((info) => {
    const status = grpcStatus(info);
    return status === undefined || args === 'NUMBER' ? status : (grpcNames[status] ?? status);
  });
}

/** Compiles one command; the result is the reason as text when it is not supported. */
export function compileCommand(name: string, args: string | undefined): Command | string {
  switch (name) {
    case 'REQ':
    case 'REQUEST_HEADER':
      return alternatives(args ?? '', requestField);
    case 'RESP':
    case 'RESPONSE_HEADER':
      return headerCommand(args ?? '', (info) => info.responseHeaders);
    case 'TRAILER':
    case 'RESPONSE_TRAILER':
      return headerCommand(args ?? '', (info) => info.responseTrailers);
    case 'GRPC_STATUS':
      return grpcStatusCommand(args ?? '');
    case 'START_TIME': {
      const format = compileTimeFormat(args ?? '');
      return typeof format === 'string'
        ? format
        : {
            http: (info) => format(info.startTimeMs),
            tcp: (record) => format(record.downstream.startTimeMs),
          };
    }
    default: {
      const command = Object.hasOwn(plain, name) ? plain[name] : undefined;
      if (command === undefined) {
        return 'not supported by this proxy';
      }
      return args === undefined || args === '' ? command : 'takes no argument';
    }
  }
}
