import { KnownHeader } from '@weft/http-codec';
import { localReplies, redirectReply } from '../../local-reply.ts';
import { refuseWhenOverloaded, shedLowPriority } from '../../overload/overload-step.ts';
import { findRoute, withoutPort } from '../../route/route-table.ts';
import type { HttpConnectionManagerConfig } from '../../runtime-config/config.ts';
import { runEvent } from '../../transport/guarded-event.ts';
import { FilterStatus, type FilterStatusCode } from './filter-status.ts';
import { applyMutations } from './filters/header-mutation-filter.ts';
import { applyForwardClientCert } from './forwarded-client-cert.ts';
import {
  applyForwardedFor,
  applyForwardedPort,
  applyForwardedProto,
  isInternalClient,
  removeControlFields,
} from './forwarded-headers.ts';
import { translateGrpcWebRequest } from './grpc-web/grpc-web-request.ts';
import { removeRequestHopByHop } from './hop-by-hop.ts';
import type { HttpStream } from './http-stream.ts';
import { isPlainPath, normalizePath } from './path-normalization.ts';
import { newRequestId } from './request-id.ts';
import { chooseRouteCluster } from './route-choice.ts';
import { startRouting } from './router.ts';

/** One step of the way of a request through the connection manager. */
export interface RequestStep {
  readonly name: string;
  /** Why it stands where it stands. */
  readonly reason: string;
  /** Steps that a configuration does not need are left out once, not asked for each request. */
  readonly wanted: (config: HttpConnectionManagerConfig) => boolean;
  readonly run: (stream: HttpStream) => FilterStatusCode;
}

const always = (): boolean => true;

/** The declared order. Each step sees what the ones before it left. */
export const requestSteps: readonly RequestStep[] = [
  {
    name: 'overload',
    reason: 'first: a request that is refused for want of means must cost as little as can be',
    wanted: always,
    run: refuseWhenOverloaded,
  },
  {
    name: 'host-port',
    reason: 'before every look at the authority, so that all of them see the same text',
    wanted: (config) => config.stripAnyHostPort || config.stripMatchingHostPort || config.stripTrailingHostDot,
    run: stripHostPort,
  },
  {
    name: 'underscores',
    reason: 'before any look at fields: an application may take a_b for a-b',
    wanted: (config) => config.headersWithUnderscores !== 'allow',
    run: checkUnderscores,
  },
  {
    name: 'path',
    reason: 'before anything decides by the path, so that no spelling of it gets around a rule',
    wanted: (config) =>
      config.normalizePath || config.mergeSlashes || config.pathWithEscapedSlashes !== 'keep-unchanged',
    run: normalizeRequestPath,
  },
  {
    name: 'forwarded',
    reason: 'who the client is and which scheme it used: routes, policies and logs ask for it',
    wanted: always,
    run: findTrustedClient,
  },
  {
    name: 'control-fields',
    reason: 'before any filter that would believe them, and as soon as it is known who sent them',
    wanted: always,
    run: checkControlFields,
  },
  {
    name: 'request-id',
    reason: 'before filters and local replies, so that each of them can be found by it',
    wanted: always,
    run: setRequestId,
  },
  {
    name: 'client-cert',
    reason: 'the identity of the peer is set before a filter reads it, and forged ones are gone',
    wanted: (config) => config.forwardClientCert !== 'always-forward-only',
    run: (stream) => {
      const { config } = stream.manager;
      if (config.forwardClientCert !== 'sanitize' || stream.head.indexOfKnown(KnownHeader.xForwardedClientCert) >= 0) {
        applyForwardClientCert(stream.head, config.forwardClientCert, stream.connection.clientCertElement());
      }
      return FilterStatus.continue;
    },
  },
  {
    name: 'upgrade',
    reason: 'a tunnel that is not configured is refused before anything is looked up for it',
    wanted: always,
    run: checkUpgrade,
  },
  {
    name: 'hop-by-hop',
    reason: 'after the upgrade check, which reads them; nothing later may see or forward them',
    wanted: always,
    run: (stream) => {
      removeRequestHopByHop(stream.head);
      return FilterStatus.continue;
    },
  },
  {
    name: 'early-headers',
    reason: 'routes are chosen by what it sets; later than hop-by-hop, by which a client could take it away again',
    wanted: (config) => config.earlyHeaderMutations.length > 0,
    run: (stream) => {
      applyMutations(stream.manager.config.earlyHeaderMutations, stream.head, stream);
      return FilterStatus.continue;
    },
  },
  {
    name: 'grpc-web',
    reason: 'before the route and everything behind it, which see gRPC',
    wanted: (config) => config.httpFilters.some((filter) => filter.kind === 'grpc-web'),
    run: (stream) => {
      const translation = translateGrpcWebRequest(stream.head, stream.requestComplete);
      if (translation !== undefined) {
        stream.translateGrpcWeb(translation);
      }
      return FilterStatus.continue;
    },
  },
  {
    name: 'route',
    reason: 'filters below may look at the route that was found',
    wanted: always,
    run: lookUpRoute,
  },
  {
    name: 'shed',
    reason: 'the route says whether a request is important; nothing was spent on it yet',
    wanted: always,
    run: shedLowPriority,
  },
  {
    name: 'on-demand',
    reason: 'right after the look-up whose failure it mends; it waits for the control plane',
    wanted: (config) => config.httpFilters.some((filter) => filter.kind === 'on-demand'),
    run: askForVirtualHost,
  },
  {
    name: 'router',
    reason: 'the terminal filter: it answers or forwards',
    wanted: always,
    run: startRouting,
  },
];

function findTrustedClient(stream: HttpStream): FilterStatusCode {
  const { head, info, connection } = stream;
  const { config } = stream.manager;
  const { downstream } = info;
  stream.isInternal = isInternalClient(head, config, downstream.remoteIp);
  info.downstreamRemoteIp = applyForwardedFor(head, config, downstream.remoteIp);
  info.scheme = applyForwardedProto(head, config, downstream.tls === undefined ? 'http' : 'https');
  if (config.appendXForwardedPort) {
    applyForwardedPort(head, config, connection.info.localPort);
  }
  return FilterStatus.continue;
}

function checkControlFields(stream: HttpStream): FilterStatusCode {
  const { head, isInternal, info } = stream;
  const edge = !isInternal && stream.manager.config.useRemoteAddress;
  if (head.indexOfKnown(KnownHeader.xEnvoy) >= 0) {
    removeControlFields(head, isInternal, edge);
  }
  if (isInternal) {
    head.set('x-envoy-internal', 'true');
  }
  if (edge && info.downstreamRemoteIp !== '') {
    head.set('x-envoy-external-address', info.downstreamRemoteIp);
  }
  return FilterStatus.continue;
}

const underscore = 0x5f;

function checkUnderscores(stream: HttpStream): FilterStatusCode {
  const { head } = stream;
  for (let index = 0; index < head.count; index += 1) {
    const found = head.bytes.subarray(head.nameStartAt(index), head.nameEndAt(index)).includes(underscore);
    if (found && stream.manager.config.headersWithUnderscores === 'reject') {
      stream.reply(localReplies.underscoreInName);
      return FilterStatus.replied;
    }
    if (found) {
      head.removeAt(index);
    }
  }
  return FilterStatus.continue;
}

function stripHostPort(stream: HttpStream): FilterStatusCode {
  const { head, manager, connection } = stream;
  if (manager.config.stripTrailingHostDot) {
    head.setAuthority(withoutTrailingDot(head.authority));
  }
  if (!manager.config.stripAnyHostPort && !manager.config.stripMatchingHostPort) {
    return FilterStatus.continue;
  }
  const bare = withoutPort(head.authority);
  if (bare !== head.authority && head.method !== 'CONNECT') {
    const port = head.authority.slice(bare.length + 1);
    if (manager.config.stripAnyHostPort || Number(port) === connection.info.localPort) {
      head.setAuthority(bare);
    }
  }
  return FilterStatus.continue;
}

/** `host.:port` and `host.` without the dot. */
function withoutTrailingDot(authority: string): string {
  const host = withoutPort(authority);
  return host.length > 1 && host.endsWith('.') ? host.slice(0, -1) + authority.slice(host.length) : authority;
}

function normalizeRequestPath(stream: HttpStream): FilterStatusCode {
  const { head } = stream;
  if (isPlainPath(head.path) || head.path.charCodeAt(0) !== 0x2f) {
    return FilterStatus.continue;
  }
  const result = normalizePath(head.path, stream.manager.config);
  if (result.kind === 'reject') {
    stream.reply(localReplies.pathNormalizationFailed);
    return FilterStatus.replied;
  }
  if (result.kind === 'redirect') {
    stream.reply(redirectReply(307, result.path, 'path_normalization_failed'));
    return FilterStatus.replied;
  }
  if (result.path !== head.path) {
    head.setPath(result.path);
    stream.info.path = result.path;
  }
  return FilterStatus.continue;
}

function setRequestId(stream: HttpStream): FilterStatusCode {
  const { head, info } = stream;
  const { config } = stream.manager;
  const index = head.indexOfKnown(KnownHeader.xRequestId);
  if (index >= 0 && (!config.useRemoteAddress || stream.isInternal || config.preserveExternalRequestId)) {
    info.requestId = head.valueAt(index);
  }
  if (info.requestId !== '') {
    return FilterStatus.continue;
  }
  if (index >= 0 && config.generateRequestId) {
    head.removeKnown(KnownHeader.xRequestId, 'x-request-id');
  }
  if (config.generateRequestId) {
    info.requestId = newRequestId();
    head.addClean('x-request-id', info.requestId);
  }
  return FilterStatus.continue;
}

function checkUpgrade(stream: HttpStream): FilterStatusCode {
  const { head } = stream;
  if (head.upgrade === '' && head.method !== 'CONNECT') {
    return FilterStatus.continue;
  }
  if (head.upgrade === 'h2c' && head.method !== 'CONNECT') {
    // An offer that a server may ignore (RFC 9110 §7.8); it is for this connection only.
    head.upgrade = '';
    return FilterStatus.continue;
  }
  const wanted = head.method === 'CONNECT' ? 'connect' : head.upgrade;
  if (!stream.manager.upgrades.has(wanted)) {
    stream.reply(localReplies.upgradeFailed);
    return FilterStatus.replied;
  }
  if (head.hasBody) {
    stream.reply(localReplies.upgradeWithBody);
    return FilterStatus.replied;
  }
  return FilterStatus.continue;
}

/** Finds virtual host and route; leaves `stream.route` undefined when there is none. */
function lookUpRoute(stream: HttpStream): FilterStatusCode {
  const table = stream.manager.context.routeTable(stream.manager.config.routeConfigName);
  if (table === undefined) {
    stream.reply(localReplies.routeConfigMissing);
    return FilterStatus.replied;
  }
  stream.table = table;
  if (!stream.isInternal) {
    for (const name of table.config.internalOnlyHeaders) {
      stream.head.remove(name);
    }
  }
  const virtualHost = table.virtualHostOf(stream.head.authority);
  stream.virtualHost = virtualHost;
  if (virtualHost !== undefined) {
    stream.info.virtualHost = virtualHost.config;
    const route = findRoute(virtualHost, stream);
    if (route !== undefined) {
      stream.route = route;
      stream.info.route = route.config;
      stream.info.routeName = route.config.name;
      chooseRouteCluster(stream, route);
    }
  }
  return FilterStatus.continue;
}

function askForVirtualHost(stream: HttpStream): FilterStatusCode {
  if (stream.virtualHost !== undefined || stream.table?.config.vhds !== true || stream.askedForVirtualHost) {
    return FilterStatus.continue;
  }
  stream.askedForVirtualHost = true;
  const { generation } = stream;
  stream.holdRequest();
  void stream.manager.context
    .requestVirtualHost(stream.manager.config.routeConfigName, stream.head.authority.toLowerCase())
    .then((answer) => {
      // The stream may have ended, and its object may serve another request by now.
      if (stream.generation !== generation) {
        return;
      }
      const { transport } = stream.connection;
      runEvent(transport.context, transport, () => {
        if (lookUpRoute(stream) === FilterStatus.continue) {
          if (stream.virtualHost === undefined && answer === 'unavailable') {
            stream.reply(localReplies.virtualHostUnavailable);
          } else {
            stream.continueRequest('on-demand');
          }
        }
      });
    });
  return FilterStatus.stop;
}
