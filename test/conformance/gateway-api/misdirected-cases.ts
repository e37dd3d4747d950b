import { connect } from 'node:http2';
import { createKeyPair, type KeyPair, tlsSecret } from './certificates.ts';
import type { ConformanceMesh } from './conformance-mesh.ts';
import { listenPort } from './gateway-proxies.ts';
import { type HttpAnswer, sendHttp } from './http-request.ts';
import { className } from './manifests.ts';
import type { StoredObject } from './resource-client.ts';

const namespace = 'gateway-conformance-infra';
const gatewayApi = 'gateway.networking.k8s.io/v1';
const istio = 'networking.istio.io/v1';
const name = 'own-coalesced';
const hostnames = ['one.example.net', 'two.example.net', '*.example.net'];
/** Of Gateway API, and of Istio: both have the same hosts. */
export const coalescingPorts: readonly number[] = [443, 8080];

function object(apiVersion: string, kind: string, spec: object): StoredObject {
  return { apiVersion, kind, metadata: { namespace, name }, spec } as StoredObject;
}

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
    const gateway = object(gatewayApi, 'Gateway', {
      gatewayClassName: className,
      listeners: hostnames.map((hostname, index) => ({
        name: `l${index}`,
        hostname,
        port: 443,
        protocol: 'HTTPS',
        tls: { certificateRefs: [{ name }] },
      })),
    });
    const objects = [
      // These backends speak HTTP/1.1 only and do not say so: what comes by HTTP/2 must not go on by HTTP/2.
      object('v1', 'Service', {
        selector: { app: 'infra-backend-v1' },
        ports: [{ port: 8080, targetPort: 3000 }],
      }),
      gateway,
      object(gatewayApi, 'HTTPRoute', {
        parentRefs: [{ name }],
        rules: [{ backendRefs: [{ name, port: 8080 }] }],
      }),
      object(istio, 'Gateway', {
        selector: { 'gateway.networking.k8s.io/gateway-name': name },
        servers: hostnames.map((host, index) => ({
          name: `s${index}`,
          hosts: [host],
          port: { number: 8080, name: `https-${index}`, protocol: 'HTTPS' },
          tls: { mode: 'SIMPLE', credentialName: name },
        })),
      }),
      object(istio, 'VirtualService', {
        hosts: hostnames,
        gateways: [name],
        http: [{ route: [{ destination: { host: name, port: { number: 8080 } } }] }],
      }),
    ];
    mesh.gateways.start(gateway);
    for (const each of objects) {
      await mesh.resources.apply(each);
    }
    return new MisdirectedCases(mesh, pair);
  }

  /** The chain of a host, by its position. */
  chain(port: number, host: number): string {
    return `${namespace}/${name}/${port === 443 ? 'l' : 's'}${host}`;
  }

  /** The answer over HTTP/1.1 on a connection with a server name of its own. */
  async http1(
    port: number,
    sni: string,
    host: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    const { address } = await this.#mesh.place(`${namespace}/${name}`, ['HTTPS']);
    const tls = { sni, trusted: this.#pair.certificate };
    return sendHttp({ address, port: listenPort(port), method: 'GET', path: '/', host, headers, tls });
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
