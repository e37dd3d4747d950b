import { connect } from 'node:http2';
import { createKeyPair, type KeyPair, tlsSecret } from './certificates.ts';
import type { ConformanceMesh } from './conformance-mesh.ts';
import { listenPort } from './gateway-proxies.ts';
import { sendHttp } from './http-request.ts';
import { className } from './manifests.ts';
import type { StoredObject } from './resource-client.ts';

const namespace = 'gateway-conformance-infra';
const gatewayApi = 'gateway.networking.k8s.io/v1';
const istio = 'networking.istio.io/v1';
const name = 'own-coalesced';
const hostnames = ['one.example.net', 'two.example.net', '*.example.net'];
/** Of Gateway API, and of Istio: both have the same hosts. */
export const coalescingPorts: readonly number[] = [443, 8080];

/** One certificate for the hosts of several HTTPS listeners: clients of HTTP/2 use one connection for all of them. */
export class MisdirectedCases {
  readonly #mesh: ConformanceMesh;
  readonly #pair: KeyPair;

  private constructor(mesh: ConformanceMesh, pair: KeyPair) {
    this.#mesh = mesh;
    this.#pair = pair;
  }

  static async start(mesh: ConformanceMesh): Promise<MisdirectedCases> {
    const pair = await createKeyPair(['*.example.net', 'example.org']);
    await mesh.resources.apply(tlsSecret(namespace, name, pair));
    const gateway = {
      apiVersion: gatewayApi,
      kind: 'Gateway',
      metadata: { namespace, name },
      spec: {
        gatewayClassName: className,
        listeners: hostnames.map((hostname, index) => ({
          name: `l${index}`,
          hostname,
          port: 443,
          protocol: 'HTTPS',
          tls: { certificateRefs: [{ name }] },
        })),
      },
    };
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace, name },
      // These backends speak HTTP/1.1 only and do not say so: what comes by HTTP/2 must not go on by HTTP/2.
      spec: { selector: { app: 'infra-backend-v1' }, ports: [{ port: 8080, targetPort: 3000 }] },
    };
    const route = {
      apiVersion: gatewayApi,
      kind: 'HTTPRoute',
      metadata: { namespace, name },
      spec: { parentRefs: [{ name }], rules: [{ backendRefs: [{ name, port: 8080 }] }] },
    };
    const servers = hostnames.map((host, index) => ({
      name: `s${index}`,
      hosts: [host],
      port: { number: 8080, name: `https-${index}`, protocol: 'HTTPS' },
      tls: { mode: 'SIMPLE', credentialName: name },
    }));
    const selector = { 'gateway.networking.k8s.io/gateway-name': name };
    const istioGateway = {
      apiVersion: istio,
      kind: 'Gateway',
      metadata: { namespace, name },
      spec: { selector, servers },
    };
    const virtualService = {
      apiVersion: istio,
      kind: 'VirtualService',
      metadata: { namespace, name },
      spec: {
        hosts: hostnames,
        gateways: [name],
        http: [{ route: [{ destination: { host: name, port: { number: 8080 } } }] }],
      },
    };
    mesh.gateways.start(gateway);
    for (const object of [service, gateway, route, istioGateway, virtualService]) {
      await mesh.resources.apply(object as StoredObject);
    }
    return new MisdirectedCases(mesh, pair);
  }

  /** The chain of a host, by its position. */
  chain(port: number, host: number): string {
    return `${namespace}/${name}/${port === 443 ? 'l' : 's'}${host}`;
  }

  /** Status of a request over HTTP/1.1 on a connection with a server name of its own. */
  async http1(
    port: number,
    sni: string,
    host: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    const { address } = await this.#mesh.place(`${namespace}/${name}`, ['HTTPS']);
    const tls = { sni, trusted: this.#pair.certificate };
    const request = { address, port: listenPort(port), method: 'GET', path: '/', host, headers, tls };
    return (await sendHttp(request)).status;
  }

  /** What the backend saw of a request over HTTP/1.1. */
  async seen(port: number, host: string): Promise<{ readonly headers: Readonly<Record<string, readonly string[]>> }> {
    const { address } = await this.#mesh.place(`${namespace}/${name}`, ['HTTPS']);
    const tls = { sni: host, trusted: this.#pair.certificate };
    const request = { address, port: listenPort(port), method: 'GET', path: '/', host, headers: {}, tls };
    return JSON.parse((await sendHttp(request)).body) as { headers: Record<string, string[]> };
  }

  /** Statuses of requests for several authorities on one connection of HTTP/2. */
  async http2(port: number, sni: string, authorities: readonly string[]): Promise<readonly number[]> {
    const { address } = await this.#mesh.place(`${namespace}/${name}`, ['HTTPS']);
    const session = connect(`https://${address}:${listenPort(port)}`, {
      servername: sni,
      ca: this.#pair.certificate,
      allowPartialTrustChain: true,
      checkServerIdentity: () => undefined,
    });
    try {
      return await Promise.all(
        authorities.map(
          (authority) =>
            new Promise<number>((resolve, reject) => {
              session.once('error', reject);
              const stream = session.request({ ':authority': authority, ':path': '/' });
              stream.on('response', (head) => resolve(head[':status'] ?? 0));
              stream.on('error', reject);
              stream.resume();
            }),
        ),
      );
    } finally {
      session.close();
    }
  }
}
