/**
 * Requests that come to a gateway by the wrong connection (RFC 9110 §15.5.20): clients of HTTP/2 use one connection for all names of its
 * certificate, although their server name chose the filter chain of one of them. Each chain says its name in a header before routes are looked
 * for, and the virtual hosts of other chains answer 421 by it, so that one route configuration does for all of a socket.
 */

import { type GatewayListener, type GatewayVirtualHost, noHeaderEdits } from '@weft/ir';
import { packAny } from '@weft/xds-types';
import { HeaderMutation } from '@weft/xds-types/envoy/config/common/mutation_rules/v3/mutation_rules.ts';
import {
  HeaderValue,
  HeaderValueOption,
  HeaderValueOption_HeaderAppendAction,
} from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { TypedExtensionConfig } from '@weft/xds-types/envoy/config/core/v3/extension.ts';
import type { Route } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { HeaderMutation as EarlyHeaderMutation } from '@weft/xds-types/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.ts';
import { create } from './message.ts';
import { routeMessage } from './route.ts';

/** Of requests inside of a gateway alone: what a client says there is overwritten, and it is not sent on. */
export const chainHeader = 'x-weft-chain';

/** Whether it matters by which chain of a socket a request comes. */
export function tellsChains({ virtualHosts }: Pick<GatewayListener, 'virtualHosts'>): boolean {
  return virtualHosts.some(({ chain }) => chain !== undefined);
}

/** Has requests say which chain they came by. */
export function sayChain(chain: string): TypedExtensionConfig {
  const option = create(HeaderValueOption, {
    header: create(HeaderValue, { key: chainHeader, value: headerValue(chain) }),
    appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
  });
  return create(TypedExtensionConfig, {
    name: 'envoy.http.early_header_mutation.header_mutation',
    typedConfig: packAny(
      'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
      EarlyHeaderMutation,
      create(EarlyHeaderMutation, {
        mutations: [create(HeaderMutation, { action: { $case: 'append', value: option } })],
      }),
    ),
  });
}

/** What stands before the routes of a virtual host that one chain alone has. */
export function misdirectedRoutes({ chain, domains }: GatewayVirtualHost): readonly Route[] {
  return chain === undefined
    ? []
    : [
        routeMessage({
          name: `misdirected: ${domains.join(', ')} is of ${chain}`,
          match: {
            path: { kind: 'prefix', value: '/', ignoreCase: false },
            headers: [{ name: chainHeader, match: { kind: 'exact', value: headerValue(chain) }, invert: true }],
            query: [],
          },
          action: { kind: 'direct-response', status: 421, body: new Uint8Array() },
          headers: noHeaderEdits,
          fault: undefined,
          cors: undefined,
        }),
      ];
}

/** Names of Istio's servers are any text: what means something in a header's value, or in its format, is written as its bytes. */
function headerValue(chain: string): string {
  return chain.replace(/[^\w./|#*-]/gu, (character) => `~${Buffer.from(character).toString('hex')}`);
}
