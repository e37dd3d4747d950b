import { createKeyPair, type KeyPair, tlsSecret } from './certificates.ts';
import type { ConformanceMesh } from './conformance-mesh.ts';
import { listenPort } from './gateway-proxies.ts';
import { askOverTls, sendHttp } from './http-request.ts';
import { className } from './manifests.ts';
import type { StoredObject } from './resource-client.ts';

const namespace = 'gateway-conformance-infra';
const apiVersion = 'gateway.networking.k8s.io/v1';

/** What TLS at a gateway has besides what the data asks for; names of the Gateway's listeners are their hosts. */
export class TlsCases {
  readonly #mesh: ConformanceMesh;
  readonly #pairs: ReadonlyMap<string, KeyPair>;

  private constructor(mesh: ConformanceMesh, pairs: ReadonlyMap<string, KeyPair>) {
    this.#mesh = mesh;
    this.#pairs = pairs;
  }

  /** A Gateway with listeners for two certificates at once, for one that has expired, and for a TLSRoute behind TLS that ends there. */
  static async start(mesh: ConformanceMesh): Promise<TlsCases> {
    const pairs = new Map([
      ['one', await createKeyPair(['one.example.net'])],
      ['two', await createKeyPair(['two.example.net'])],
      ['expired', await createKeyPair(['expired.example.net'], { fromDay: -3, toDay: -1 })],
      ['ended', await createKeyPair(['ended.example.net'])],
    ]);
    for (const [name, pair] of pairs) {
      await mesh.resources.apply(tlsSecret(namespace, `own-${name}`, pair));
    }
    const listener = (name: string, hostname: string, protocol: 'HTTPS' | 'TLS', secrets: readonly string[]) => ({
      name,
      hostname,
      port: 443,
      protocol,
      tls: { mode: 'Terminate', certificateRefs: secrets.map((secret) => ({ name: `own-${secret}` })) },
    });
    const gateway = {
      apiVersion,
      kind: 'Gateway',
      metadata: { namespace, name: 'own-tls' },
      spec: {
        gatewayClassName: className,
        listeners: [
          listener('both', '*.example.net', 'HTTPS', ['one', 'two']),
          listener('expired', 'expired.example.net', 'HTTPS', ['expired']),
          listener('ended', 'ended.example.net', 'TLS', ['ended']),
        ],
      },
    };
    mesh.gateways.start(gateway);
    await mesh.resources.apply(gateway);
    const route = (kind: string, sectionName: string, hostname: string, name: string, port: number): object => ({
      apiVersion,
      kind,
      metadata: { namespace, name: `own-${sectionName}` },
      spec: {
        parentRefs: [{ name: 'own-tls', sectionName }],
        hostnames: [hostname],
        rules: [{ backendRefs: [{ name, port }] }],
      },
    });
    for (const object of [
      route('HTTPRoute', 'both', '*.example.net', 'infra-backend-v1', 8080),
      route('HTTPRoute', 'expired', 'expired.example.net', 'infra-backend-v1', 8080),
      route('TLSRoute', 'ended', 'ended.example.net', 'tcp-backend', 3000),
    ]) {
      await mesh.resources.apply(object as StoredObject);
    }
    return new TlsCases(mesh, pairs);
  }

  /** Status of an HTTPS request for a host, whose server must show the certificate of the Secret. @throws Error where it does not. */
  async get(host: string, secret: string): Promise<number> {
    const { address, listens } = await this.#mesh.place(`${namespace}/own-tls`, ['HTTPS']);
    const tls = { sni: host, trusted: this.#pairs.get(secret)?.certificate ?? '' };
    return (await sendHttp({ address, port: listens, method: 'GET', path: '/', host, headers: {}, tls })).status;
  }

  /** Whether anybody ends TLS for a host. */
  async isOpen(host: string): Promise<boolean> {
    const { address } = await this.#mesh.place(`${namespace}/own-tls`, ['HTTPS']);
    return (await askOverTls(address, listenPort(443), host, undefined).catch(() => ({}))) !== undefined;
  }

  /** The server name that the TCP backend behind the TLS listener saw; undefined: it was reached without TLS. */
  async endedAtGateway(): Promise<{ readonly pod: string; readonly sni?: string } | undefined> {
    const { address } = await this.#mesh.place(`${namespace}/own-tls`, ['HTTPS']);
    return askOverTls(address, listenPort(443), 'ended.example.net', this.#pairs.get('ended')?.certificate);
  }

  /** A condition of a listener, as `status/reason`. */
  async condition(listener: string, type: string): Promise<string> {
    const gateway = await this.#mesh.resources.find(apiVersion, 'Gateway', namespace, 'own-tls');
    const listeners = (gateway?.status?.['listeners'] ?? []) as readonly {
      readonly name: string;
      readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
    }[];
    const found = listeners
      .find(({ name }) => name === listener)
      ?.conditions.find((condition) => condition.type === type);
    return `${found?.status}/${found?.reason}`;
  }
}
