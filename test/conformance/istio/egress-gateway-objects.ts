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

function serviceEntry(host: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: default}
spec:
  hosts: [${host}]
  ports:
  - {number: 80, name: http, protocol: HTTP}
  - {number: 443, name: https, protocol: HTTPS}
  resolution: DNS
---`;
}

/** HTTP to the gateway in the clear, and on in the clear. */
export function plainHttp(host: string): string {
  return `${serviceEntry(host)}
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: istio-egressgateway, namespace: default}
spec:
  selector: {istio: egressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [${host}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: egressgateway-for-outside, namespace: default}
spec:
  host: ${gatewayHost}
  subsets:
  - name: outside
---
${throughGateway(host, 80)}`;
}

/** Mutual TLS to the gateway, which makes TLS of its own to the host. @param tls of the gateway's connections to the host. */
export function originatedTls(host: string, tls: string): string {
  return `${serviceEntry(host)}
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: istio-egressgateway, namespace: default}
spec:
  selector: {istio: egressgateway}
  servers:
  - port: {number: 80, name: https-port-for-tls-origination, protocol: HTTPS}
    hosts: [${host}]
    tls: {mode: ISTIO_MUTUAL}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: egressgateway-for-outside, namespace: default}
spec:
  host: ${gatewayHost}
  subsets:
  - name: outside
    trafficPolicy:
      loadBalancer: {simple: ROUND_ROBIN}
      portLevelSettings:
      - port: {number: 80}
        tls: {mode: ISTIO_MUTUAL, sni: ${host}}
---
${throughGateway(host, 443)}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: originate-tls-for-outside, namespace: istio-system}
spec:
  host: ${host}
  trafficPolicy:
    loadBalancer: {simple: ROUND_ROBIN}
    portLevelSettings:
    - port: {number: 443}
      tls: ${tls}
`;
}

function throughGateway(host: string, port: number): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: outside-through-egress-gateway, namespace: default}
spec:
  hosts: [${host}]
  gateways: [istio-egressgateway, mesh]
  http:
  - match:
    - gateways: [mesh]
      port: 80
    route:
    - destination: {host: ${gatewayHost}, subset: outside, port: {number: 80}}
      weight: 100
  - match:
    - gateways: [istio-egressgateway]
      port: 80
    route:
    - destination: {host: ${host}, port: {number: ${port}}}
      weight: 100`;
}

/** TLS of the application itself, which the gateway passes on by the name that its client says. */
export function passedThrough(host: string): string {
  return `${serviceEntry(host)}
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: istio-egressgateway, namespace: default}
spec:
  selector: {istio: egressgateway}
  servers:
  - port: {number: 443, name: tls, protocol: TLS}
    hosts: [${host}]
    tls: {mode: PASSTHROUGH}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: egressgateway-for-outside, namespace: default}
spec:
  host: ${gatewayHost}
  subsets:
  - name: outside
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: outside-through-egress-gateway, namespace: default}
spec:
  hosts: [${host}]
  gateways: [mesh, istio-egressgateway]
  tls:
  - match:
    - gateways: [mesh]
      port: 443
      sniHosts: [${host}]
    route:
    - destination: {host: ${gatewayHost}, subset: outside, port: {number: 443}}
  - match:
    - gateways: [istio-egressgateway]
      port: 443
      sniHosts: [${host}]
    route:
    - destination: {host: ${host}, port: {number: 443}}
      weight: 100
`;
}
