/** What Istio's task on egress gateways has users apply, for hosts of a test; the gateway's namespace is istio-system. */

const gatewayHost = 'istio-egressgateway.istio-system.svc.cluster.local';

/** What Istio installs for its egress gateway. */
export const gatewayService = `
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: Service
metadata: {name: istio-egressgateway, namespace: istio-system}
spec:
  selector: {istio: egressgateway}
  ports:
  - {name: http2, port: 80, targetPort: 8080}
  - {name: https, port: 443, targetPort: 8443}
`;

function istio(kind: string, name: string, spec: string, namespace = 'default'): string {
  return `---
apiVersion: networking.istio.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: ${namespace}}
spec:
${spec.replace(/^\n|\n *$/g, '')}
`;
}

/** The host, a server of the gateway, and the subset of the gateway's Service that leads to it. @param subset more of it. */
function hostAndGateway(host: string, server: string, subset = ''): string {
  return (
    istio(
      'ServiceEntry',
      'outside',
      `
  hosts: [${host}]
  ports:
  - {number: 80, name: http, protocol: HTTP}
  - {number: 443, name: https, protocol: HTTPS}
  resolution: DNS
`,
    ) +
    istio(
      'Gateway',
      'istio-egressgateway',
      `
  selector: {istio: egressgateway}
  servers:
  - hosts: [${host}]
    ${server}
`,
    ) +
    istio(
      'DestinationRule',
      'egressgateway-for-outside',
      `
  host: ${gatewayHost}
  subsets:
  - name: outside
    ${subset}
`,
    )
  );
}

/** From the mesh to the gateway, and from there to the host. @param match of either, beside the gateways. */
function throughGateway(host: string, kind: 'http' | 'tls', match: string, ports: readonly [number, number]): string {
  const [gatewayPort, hostPort] = ports;
  return istio(
    'VirtualService',
    'outside-through-egress-gateway',
    `
  hosts: [${host}]
  gateways: [istio-egressgateway, mesh]
  ${kind}:
  - match:
    - {gateways: [mesh], ${match}}
    route:
    - destination: {host: ${gatewayHost}, subset: outside, port: {number: ${gatewayPort}}}
      weight: 100
  - match:
    - {gateways: [istio-egressgateway], ${match}}
    route:
    - destination: {host: ${host}, port: {number: ${hostPort}}}
      weight: 100
`,
  );
}

/** HTTP to the gateway in the clear, and on in the clear. */
export function plainHttp(host: string): string {
  const server = 'port: {number: 80, name: http, protocol: HTTP}';
  return hostAndGateway(host, server) + throughGateway(host, 'http', 'port: 80', [80, 80]);
}

/** Mutual TLS to the gateway, which makes TLS of its own to the host. @param tls of the gateway's connections to the host. */
export function originatedTls(host: string, tls: string): string {
  const policy = (port: number, settings: string): string =>
    `{loadBalancer: {simple: ROUND_ROBIN}, portLevelSettings: [{port: {number: ${port}}, tls: ${settings}}]}`;
  return (
    hostAndGateway(
      host,
      'port: {number: 80, name: https-port-for-tls-origination, protocol: HTTPS}\n    tls: {mode: ISTIO_MUTUAL}',
      `trafficPolicy: ${policy(80, `{mode: ISTIO_MUTUAL, sni: ${host}}`)}`,
    ) +
    throughGateway(host, 'http', 'port: 80', [80, 443]) +
    istio(
      'DestinationRule',
      'originate-tls-for-outside',
      `
  host: ${host}
  trafficPolicy: ${policy(443, tls)}
`,
      'istio-system',
    )
  );
}

/** TLS of the application itself, which the gateway passes on by the name that its client says. */
export function passedThrough(host: string): string {
  const server = 'port: {number: 443, name: tls, protocol: TLS}\n    tls: {mode: PASSTHROUGH}';
  return hostAndGateway(host, server) + throughGateway(host, 'tls', `port: 443, sniHosts: [${host}]`, [443, 443]);
}
