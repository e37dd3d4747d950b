import { packAny } from '@weft/xds-types';
import { ListenerFilter } from '@weft/xds-types/envoy/config/listener/v3/listener_components.ts';
import { HttpInspector } from '@weft/xds-types/envoy/extensions/filters/listener/http_inspector/v3/http_inspector.ts';
import { ProxyProtocol } from '@weft/xds-types/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.ts';
import { TlsInspector } from '@weft/xds-types/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.ts';
import { create } from './message.ts';

/** Reads the server name and ALPN of a ClientHello, so that a filter chain can be chosen by them. */
export const tlsInspector: ListenerFilter = create(ListenerFilter, {
  name: 'envoy.filters.listener.tls_inspector',
  configType: {
    $case: 'typedConfig',
    value: packAny(
      'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
      TlsInspector,
      create(TlsInspector, {}),
    ),
  },
});

/** Tells HTTP from other bytes at the start of a connection without TLS. */
export const httpInspector: ListenerFilter = create(ListenerFilter, {
  name: 'envoy.filters.listener.http_inspector',
  configType: {
    $case: 'typedConfig',
    value: packAny(
      'envoy.extensions.filters.listener.http_inspector.v3.HttpInspector',
      HttpInspector,
      create(HttpInspector, {}),
    ),
  },
});

/** Takes the PROXY header (v1 or v2) that stands before the first byte of a connection. */
export const proxyProtocol: ListenerFilter = create(ListenerFilter, {
  name: 'envoy.filters.listener.proxy_protocol',
  configType: {
    $case: 'typedConfig',
    value: packAny(
      'envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol',
      ProxyProtocol,
      create(ProxyProtocol, {}),
    ),
  },
});
