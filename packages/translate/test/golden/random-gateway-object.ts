import type { KubeObject } from '@weft/resources';
import { keyPairData } from './key-pair-data.ts';

type Random = () => number;

function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T;
}

const group = 'gateway.networking.k8s.io/v1';
const names = ['a', 'b', 'c'];
const hosts = ['a.example', 'b.example', '*.example'];
const data = keyPairData();
const pem = Buffer.from(data['tls.crt'] ?? '', 'base64').toString('utf8');

/** An object of a kind that gateways are made of. @param namespaces to choose from. */
export function randomGatewayObject(random: Random, counter: number, namespaces: readonly string[]): KubeObject {
  const namespace = pick(random, namespaces);
  const make = (apiVersion: string, kind: string, body: object, name = pick(random, names)): KubeObject => {
    const creationTimestamp = `2026-01-0${1 + Math.floor(random() * 3)}T00:00:00Z`;
    return { apiVersion, kind, metadata: { name, namespace, generation: counter, creationTimestamp }, ...body };
  };
  const chance = (probability: number): boolean => random() < probability;
  const elsewhere = (): object => (chance(0.5) ? { namespace: pick(random, namespaces) } : {});
  const allowed = (from: readonly string[]): object => ({
    from: pick(random, from),
    selector: { matchLabels: { team: pick(random, names) } },
  });
  const authorities = (): object => ({
    group: '',
    kind: pick(random, ['ConfigMap', 'Secret']),
    name: pick(random, names),
  });
  switch (Math.floor(random() * 15)) {
    case 0:
      return make(group, 'Gateway', {
        spec: {
          gatewayClassName: chance(0.9) ? 'weft' : 'theirs',
          ...(chance(0.8)
            ? { allowedListeners: { namespaces: allowed(['All', 'All', 'Same', 'Selector', 'None']) } }
            : {}),
          ...(chance(0.5)
            ? {
                tls: {
                  backend: { clientCertificateRef: { name: pick(random, names), ...elsewhere() } },
                  frontend: {
                    default: { validation: { caCertificateRefs: [{ ...authorities(), ...elsewhere() }] } },
                    ...(chance(0.5) ? { perPort: [{ port: 443, tls: {} }] } : {}),
                  },
                },
              }
            : {}),
          listeners: [
            {
              name: 'http',
              port: 80,
              protocol: 'HTTP',
              allowedRoutes: { namespaces: { from: pick(random, ['All', 'Same']) } },
            },
            { name: 'named', port: 80, protocol: 'HTTP', hostname: pick(random, hosts) },
            {
              name: 'tls',
              port: 443,
              protocol: 'HTTPS',
              hostname: pick(random, hosts),
              tls: { certificateRefs: [{ name: pick(random, names), ...elsewhere() }] },
            },
            { name: 'pass', port: 443, protocol: 'TLS', tls: { mode: 'Passthrough' } },
          ],
        },
      });
    case 1:
    case 2:
      return make(group, 'HTTPRoute', {
        spec: {
          parentRefs: [
            chance(0.7)
              ? {
                  ...(chance(0.4) ? { kind: 'ListenerSet' } : {}),
                  name: pick(random, names),
                  ...elsewhere(),
                  ...(chance(0.3) ? { sectionName: 'tls' } : {}),
                }
              : { group: '', kind: 'Service', name: pick(random, names), ...elsewhere() },
          ],
          ...(chance(0.6) ? { hostnames: [pick(random, hosts)] } : {}),
          rules: [
            {
              ...(chance(0.5) ? { name: pick(random, names) } : {}),
              matches: [{ path: { type: 'PathPrefix', value: pick(random, ['/', '/x']) } }],
              backendRefs: [
                { name: pick(random, names), ...elsewhere(), port: pick(random, [80, 81]), weight: counter % 3 },
                { name: pick(random, names), port: 80 },
              ],
            },
          ],
        },
      });
    case 3:
      return make(group, 'TLSRoute', {
        spec: {
          parentRefs: [{ name: pick(random, names), ...elsewhere() }],
          hostnames: [pick(random, hosts)],
          rules: [{ backendRefs: [{ name: pick(random, names), ...elsewhere(), port: 80 }] }],
        },
      });
    case 4:
      return make(group, 'ReferenceGrant', {
        spec: {
          from: ['Gateway', 'ListenerSet', 'HTTPRoute', 'TLSRoute']
            .filter(() => chance(0.7))
            .map((kind) => ({ group: 'gateway.networking.k8s.io', kind, namespace: pick(random, namespaces) })),
          to: [
            { group: '', kind: 'Service' },
            { group: '', kind: 'Secret', ...(chance(0.5) ? { name: pick(random, names) } : {}) },
            ...(chance(0.5) ? [{ group: '', kind: 'ConfigMap' }] : []),
          ],
        },
      });
    case 5:
      return make('v1', 'Secret', {
        data: chance(0.8) ? { ...data, 'ca.crt': data['tls.crt'] } : { 'tls.crt': data['tls.crt'] },
      });
    case 6:
    case 7:
      return make(group, 'ListenerSet', {
        spec: {
          parentRef: { name: pick(random, names), ...elsewhere() },
          listeners: [
            {
              name: 'http',
              port: pick(random, [80, 80, 8080, 443]),
              protocol: 'HTTP',
              hostname: pick(random, hosts),
              allowedRoutes: { namespaces: allowed(['All', 'Same', 'Selector']) },
            },
            {
              name: 'tls',
              port: pick(random, [443, 80]),
              protocol: 'HTTPS',
              hostname: pick(random, hosts),
              tls: { certificateRefs: [{ name: pick(random, names), ...elsewhere() }] },
            },
          ],
        },
      });
    case 8:
      return {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace, labels: { team: pick(random, names) }, generation: counter },
      };
    case 9:
    case 10:
      return make(group, 'BackendTLSPolicy', {
        spec: {
          targetRefs: [
            {
              group: '',
              kind: 'Service',
              name: pick(random, names),
              ...(chance(0.4) ? { sectionName: pick(random, ['http', 'tcp-x']) } : {}),
            },
          ],
          validation: {
            hostname: pick(random, ['a.example', 'b.example']),
            ...(chance(0.3)
              ? { wellKnownCACertificates: 'System' }
              : { caCertificateRefs: [authorities(), authorities()] }),
          },
        },
      });
    case 11:
      return make('v1', 'ConfigMap', { data: chance(0.8) ? { 'ca.crt': pem } : {} });
    case 12:
    case 13:
      return make('weft.dev/v1alpha1', 'RouteActionPolicy', {
        spec: {
          targetRefs: [
            chance(0.6)
              ? { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: pick(random, names) }
              : { group: 'networking.istio.io', kind: 'VirtualService', name: pick(random, names) },
          ].map((target) => ({ ...target, ...(chance(0.4) ? { sectionName: pick(random, names) } : {}) })),
          hedging: { onPerTryTimeout: true },
          fault: { bandwidth: { limit: `${1 + Math.floor(random() * 3)}Ki` } },
          ...(chance(0.5) ? { retries: { attempts: 2, perTryTimeout: '1s' } } : {}),
        },
      });
    default:
      return make('networking.istio.io/v1', 'Gateway', {
        spec: {
          selector: { app: pick(random, names) },
          servers: [
            {
              port: { number: 8080, name: 'http', protocol: 'HTTP' },
              hosts: [pick(random, ['*', ...hosts])],
              ...(chance(0.3) ? { tls: { httpsRedirect: true } } : {}),
            },
            {
              port: { number: 8443, name: 'https', protocol: 'HTTPS' },
              hosts: [pick(random, hosts)],
              tls: { mode: 'SIMPLE', credentialName: pick(random, names) },
            },
            {
              name: 'second',
              port: { number: 8443, name: 'https', protocol: 'HTTPS' },
              hosts: [pick(random, hosts)],
              tls: { mode: pick(random, ['SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL']), credentialName: pick(random, names) },
            },
          ],
        },
      });
  }
}
