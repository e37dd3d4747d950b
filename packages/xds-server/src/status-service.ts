import type { TypeUrl } from '@weft/xds-types';
import { ClientResourceStatus } from '@weft/xds-types/envoy/admin/v3/config_dump_shared.ts';
import {
  type ClientConfig,
  type ClientConfig_GenericXdsConfig,
  ClientStatusRequest,
  ClientStatusResponse,
  ConfigStatus,
} from '@weft/xds-types/envoy/service/status/v3/csds.ts';
import type { NodeMatcher } from '@weft/xds-types/envoy/type/matcher/v3/node.ts';
import { type BytesCall, endCall, serveCall } from './call.ts';
import type { ClientRegistry } from './client-registry.ts';
import type { ClientState } from './client-state.ts';
import type { XdsServerOptions } from './options.ts';
import { type AuthenticatedCall, peerOfCall } from './peer-of-call.ts';
import type { TypeState } from './stream/type-state.ts';

/** Why a status request was refused. */
export interface StatusRefusal {
  readonly code: 'PERMISSION_DENIED' | 'INVALID_ARGUMENT';
  readonly message: string;
}

/** Answers one request for the state of clients (CSDS, server view). */
export function answerStatus(
  call: AuthenticatedCall,
  bytes: Uint8Array,
  options: XdsServerOptions,
  registry: ClientRegistry,
): Buffer | StatusRefusal {
  if (options.authorizeStatus?.(peerOfCall(call)) !== true) {
    return { code: 'PERMISSION_DENIED', message: 'this peer may not read the state of clients' };
  }
  let request: ClientStatusRequest;
  try {
    request = ClientStatusRequest.decode(bytes);
  } catch (error) {
    return { code: 'INVALID_ARGUMENT', message: `the request cannot be decoded: ${String(error)}` };
  }
  const wanted = nodeIdsOf(request.nodeMatchers);
  if (wanted === undefined) {
    return { code: 'INVALID_ARGUMENT', message: 'only exact matchers on node_id are supported' };
  }
  const config = registry
    .states()
    .filter((client) => wanted.size === 0 || wanted.has(client.node.id))
    .map((client) => clientConfigFrom(client, registry.typeStates(client.key), request.excludeResourceContents));
  return Buffer.from(ClientStatusResponse.encode({ config }).finish());
}

/** `StreamClientStatus`: an answer for each request. */
export function serveStatusStream(call: BytesCall, options: XdsServerOptions, registry: ClientRegistry): void {
  serveCall(call, {
    onMessage(bytes) {
      const answer = answerStatus(call, bytes, options, registry);
      if ('code' in answer) {
        endCall(call, answer.code, answer.message);
      } else {
        call.write(answer);
      }
    },
    onClosed() {},
  });
}

function nodeIdsOf(matchers: readonly NodeMatcher[]): ReadonlySet<string> | undefined {
  const ids = new Set<string>();
  for (const { nodeId, nodeMetadatas } of matchers) {
    if (nodeMetadatas.length > 0 || nodeId?.matchPattern?.$case !== 'exact' || nodeId.ignoreCase) {
      return undefined;
    }
    ids.add(nodeId.matchPattern.value);
  }
  return ids;
}

function clientConfigFrom(
  client: ClientState,
  types: ReadonlyMap<TypeUrl, TypeState>,
  excludeContents: boolean,
): ClientConfig {
  return {
    node: client.node.message,
    xdsConfig: [],
    genericXdsConfigs: [...types.values()].flatMap((type) => resourceStatesOf(type, excludeContents)),
    clientScope: '',
  };
}

function resourceStatesOf(type: TypeState, excludeContents: boolean): ClientConfig_GenericXdsConfig[] {
  const names = new Set([...type.held.keys(), ...type.subscription.names]);
  if (type.subscription.wildcard) {
    for (const name of type.target.keys()) {
      names.add(name);
    }
  }
  return [...names].sort().map((name) => resourceStateOf(type, name, excludeContents));
}

function resourceStateOf(type: TypeState, name: string, excludeContents: boolean): ClientConfig_GenericXdsConfig {
  const held = type.held.get(name);
  const wanted = type.target.get(name);
  const refused = type.refused.get(name);
  const inFlight = type.inFlight?.resources.some((resource) => resource.name === name) === true;
  const resource = wanted ?? held?.resource;
  // Secrets stay where they belong, whoever asks.
  const contents = excludeContents || type.typeUrl.endsWith('.Secret') ? undefined : resource;
  return {
    typeUrl: type.typeUrl,
    name,
    versionInfo: held?.version ?? '',
    xdsConfig: contents === undefined ? undefined : { typeUrl: type.typeUrl, value: contents.value },
    lastUpdated: undefined,
    configStatus:
      refused !== undefined
        ? ConfigStatus.ERROR
        : held === undefined
          ? ConfigStatus.NOT_SENT
          : inFlight || held.version !== wanted?.version
            ? ConfigStatus.STALE
            : ConfigStatus.SYNCED,
    clientStatus:
      refused !== undefined
        ? ClientResourceStatus.NACKED
        : held !== undefined && !inFlight
          ? ClientResourceStatus.ACKED
          : held === undefined && wanted === undefined
            ? ClientResourceStatus.DOES_NOT_EXIST
            : ClientResourceStatus.REQUESTED,
    errorState:
      refused === undefined
        ? undefined
        : {
            failedConfiguration: undefined,
            lastUpdateAttempt: undefined,
            details: refused.reason,
            versionInfo: refused.version,
          },
    isStaticResource: false,
  };
}
