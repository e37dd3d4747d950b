/**
 * Features of Gateway API that a GatewayClass of ours claims, by the names of Gateway API, sorted as it wants them. Only what is played through
 * proxies by `test/conformance/gateway-api` is claimed: `docs/gateway-api-features.json` is the same list.
 */
export const supportedFeatures: readonly string[] = [
  'GRPCRoute',
  'Gateway',
  'GatewayHTTPSListenerDetectMisdirectedRequests',
  'GatewayPort8080',
  'HTTPRoute',
  'HTTPRoute303RedirectStatusCode',
  'HTTPRoute307RedirectStatusCode',
  'HTTPRoute308RedirectStatusCode',
  'HTTPRouteBackendRequestHeaderModification',
  'HTTPRouteBackendTimeout',
  'HTTPRouteCORS',
  'HTTPRouteHostRewrite',
  'HTTPRouteMethodMatching',
  'HTTPRoutePathRedirect',
  'HTTPRoutePathRewrite',
  'HTTPRoutePortRedirect',
  'HTTPRouteQueryParamMatching',
  'HTTPRouteRequestMirror',
  'HTTPRouteRequestMultipleMirrors',
  'HTTPRouteRequestTimeout',
  'HTTPRouteResponseHeaderModification',
  'HTTPRouteSchemeRedirect',
  'ListenerSet',
  'Mesh',
  'ReferenceGrant',
  'TLSRoute',
  'TLSRouteModeTerminate',
];
