import type { ConformanceMesh } from './conformance-mesh.ts';
import type { ConformanceTest } from './conformance-tests.ts';
import type { StoredObject } from './resource-client.ts';
import { statusProblem } from './status-problem.ts';

/** What is to be done between the checks of a test. */
export interface Steps {
  /** @throws Error when a check on the way fails. */
  readonly beforeChecks?: () => Promise<void>;
  readonly beforeCase?: (index: number) => Promise<void>;
  /** Whether a sentence on the status is asked for at all. */
  readonly appliesTo?: (index: number) => boolean;
}

const infra = 'gateway-conformance-infra';
const gatewayApi = 'gateway.networking.k8s.io/v1';

interface Listener {
  readonly name: string;
}

/** The steps that the data writes in words, by the name of the test. @throws Error where it has steps that are not known. */
export function stepsOf(test: ConformanceTest, mesh: ConformanceMesh): Steps {
  const { name, steps = [], statusExpectations } = test;
  /** All sentences hold, then the object is patched, which makes another generation; they are checked again afterwards. */
  const bump = async (
    kind: string,
    namespace: string | undefined,
    object: string,
    patch: (found: StoredObject) => unknown,
  ): Promise<void> => {
    const problems = await Promise.all(statusExpectations.map((sentence) => statusProblem(mesh, sentence)));
    const problem = problems.find((each) => each !== undefined);
    if (problem !== undefined) {
      throw new Error(`before the patch: ${problem}`);
    }
    await change(mesh, kind, namespace, object, patch);
  };
  switch (name) {
    case 'GatewayClassObservedGenerationBump': {
      const object = 'gatewayclass-observed-generation-bump';
      return {
        beforeChecks: () => bump('GatewayClass', undefined, object, () => ({ spec: { description: 'new' } })),
      };
    }
    case 'GatewayObservedGenerationBump':
      return {
        beforeChecks: () =>
          bump('Gateway', infra, 'gateway-observed-generation-bump', (found) => ({
            spec: { listeners: [...listenersOf(found), httpListener('alternate', 'foo.com')] },
          })),
      };
    case 'HTTPRouteObservedGenerationBump':
      return {
        beforeChecks: () =>
          bump('HTTPRoute', infra, 'observed-generation-bump', (found) => {
            const { rules } = found['spec' as keyof StoredObject] as unknown as {
              readonly rules: readonly { readonly backendRefs: readonly object[] }[];
            };
            const [rule, ...others] = rules;
            const [ref, ...refs] = rule?.backendRefs ?? [];
            return {
              spec: { rules: [{ ...rule, backendRefs: [{ ...ref, name: 'infra-backend-v2' }, ...refs] }, ...others] },
            };
          }),
      };
    case 'GatewayModifyListeners':
      return {
        beforeChecks: async () => {
          await checkCurrent(mesh, 'gateway-add-listener');
          await change(mesh, 'Gateway', infra, 'gateway-add-listener', (found) => ({
            spec: { listeners: [...listenersOf(found), httpListener('http', 'data.test.com')] },
          }));
          await checkCurrent(mesh, 'gateway-remove-listener');
          await change(mesh, 'Gateway', infra, 'gateway-remove-listener', (found) => ({
            spec: { listeners: listenersOf(found).filter((listener) => listener.name !== 'https') },
          }));
        },
      };
    case 'HTTPRouteReferenceGrant':
      return {
        beforeCase: async (index) => {
          if (index === 1) {
            const metadata = { namespace: 'gateway-conformance-web-backend', name: 'reference-grant' };
            await mesh.resources.delete({
              apiVersion: 'gateway.networking.k8s.io/v1beta1',
              kind: 'ReferenceGrant',
              metadata,
            });
          }
        },
      };
    case 'HTTPRouteServiceTypes':
      return { beforeChecks: () => fillSlices(mesh) };
    case 'OwnBackendTLSPolicyRotation':
      return {
        beforeCase: (index) =>
          copyAuthority(mesh, ['nonexistent', 'own-stranger-ca', 'own-ca', 'nonexistent'][index] ?? '', 'own-rotating'),
      };
    case 'TLSRouteListenerTerminateNotSupported':
      // The data: only for those that do not end TLS for TLSRoutes. Weft does, so that the listener must be accepted.
      return {
        appliesTo: () => false,
        beforeChecks: async () => {
          const sentence = `Gateway ${infra}/gateway-tlsroute-terminate-unsupported, exactly 1 listener(s) in status; listener tls-terminate: supportedKinds includes gateway.networking.k8s.io/TLSRoute, conditions Accepted=True (reason Accepted), attachedRoutes = 0`;
          const problem = await statusProblem(mesh, sentence);
          if (problem !== undefined) {
            throw new Error(problem);
          }
        },
      };
    default:
      if (steps.length > 0) {
        throw new Error(`${name} has steps that are not known: ${steps.join(' ')}`);
      }
      return {};
  }
}

function listenersOf(object: StoredObject): readonly Listener[] {
  return (object as { spec?: { listeners?: readonly Listener[] } }).spec?.listeners ?? [];
}

function httpListener(name: string, hostname: string): Listener & Readonly<Record<string, unknown>> {
  return { name, hostname, port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } };
}

async function checkCurrent(mesh: ConformanceMesh, gateway: string): Promise<void> {
  const sentence = `Gateway ${infra}/${gateway}: every status condition has observedGeneration = metadata.generation`;
  const problem = await statusProblem(mesh, sentence);
  if (problem !== undefined) {
    throw new Error(problem);
  }
}

/** Patches an object. @throws Error when that made no new generation. */
async function change(
  mesh: ConformanceMesh,
  kind: string,
  namespace: string | undefined,
  name: string,
  patch: (found: StoredObject) => unknown,
): Promise<void> {
  const { resources } = mesh;
  const found = await resources.find(gatewayApi, kind, namespace, name);
  if (found === undefined) {
    throw new Error(`there is no ${kind} ${name}`);
  }
  await resources.patch(found, patch(found));
  const changed = await resources.find(gatewayApi, kind, namespace, name);
  if (changed?.metadata.generation === found.metadata.generation) {
    throw new Error(`the patch of ${kind} ${name} made no new generation`);
  }
}

/** Gives a ConfigMap the content of another one; takes it away where there is no other one. */
async function copyAuthority(mesh: ConformanceMesh, from: string, to: string): Promise<void> {
  const found = await mesh.resources.find('v1', 'ConfigMap', infra, from);
  const copy = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: infra, name: to } };
  await (found === undefined
    ? mesh.resources.delete(copy)
    : mesh.resources.apply({ ...copy, data: (found as { readonly data?: unknown }).data } as StoredObject));
}

/** The addresses of the pods of infra-backend-v1 in the slices for IPv4; they have none of IPv6. */
async function fillSlices(mesh: ConformanceMesh): Promise<void> {
  const endpoints = mesh.pods
    .filter((pod) => pod.namespace === infra && pod.pod.startsWith('infra-backend-v1'))
    .map((pod) => ({
      addresses: [pod.address],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: 'loopback',
      targetRef: { kind: 'Pod', name: pod.pod, namespace: infra },
    }));
  for (const name of ['manual-endpointslices-ip4', 'headless-manual-endpointslices-ip4']) {
    const slice = await mesh.resources.find('discovery.k8s.io/v1', 'EndpointSlice', infra, name);
    if (slice === undefined) {
      throw new Error(`there is no EndpointSlice ${name}`);
    }
    await mesh.resources.patch(slice, { endpoints });
  }
}
