import type { KubeObject } from '@weft/resources';
import type { ResourceClient, StoredObject } from './resource-client.ts';

interface StoredCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

interface StoredListener {
  readonly name: string;
  readonly supportedKinds?: readonly { readonly group?: string; readonly kind: string }[];
  readonly attachedRoutes: number;
  readonly conditions: readonly StoredCondition[];
}

interface StoredParent {
  readonly parentRef: {
    readonly group?: string;
    readonly kind?: string;
    readonly namespace?: string;
    readonly name: string;
    readonly sectionName?: string;
  };
  readonly controllerName: string;
  readonly conditions: readonly StoredCondition[];
}

interface StoredAncestor {
  readonly ancestorRef: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly controllerName: string;
  readonly conditions: readonly StoredCondition[];
}

/** What a condition must be; `reason` undefined = any. */
interface WantedCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
}

type Judge = (client: ResourceClient) => Promise<string | undefined>;

const group = 'gateway.networking.k8s.io';
const controllerName = 'weft.dev/gateway-controller';
const route = '(HTTPRoute|GRPCRoute|TLSRoute) (\\S+)/(\\S+)';
const gateway = 'Gateway ([^\\s:,]+)/([^\\s:,]+)';

/** The shapes that the sentences of the data have, each with what it comes to. */
const sentences: readonly { readonly shape: RegExp; readonly judge: (parts: readonly string[]) => Judge }[] = [
  {
    shape: /^GatewayClass (\S+): condition Accepted is present \(any status\)$/,
    judge: ([name]) =>
      onObject('GatewayClass', undefined, name, (object) =>
        conditionsOf(object).some(({ type }) => type === 'Accepted') ? undefined : 'it has no condition Accepted',
      ),
  },
  {
    shape: /^GatewayClass (\S+): every status condition has observedGeneration = metadata\.generation$/,
    judge: ([name]) => onObject('GatewayClass', undefined, name, staleCondition),
  },
  {
    shape: /^(Gateway|HTTPRoute) (\S+)\/(\S+): every status condition has observedGeneration = metadata\.generation$/,
    judge: ([kind = '', namespace, name]) => onObject(kind, namespace, name, staleCondition),
  },
  {
    shape: new RegExp(
      `^${gateway}: has at least one status\\.addresses entry; conditions carry the current observedGeneration$`,
    ),
    judge: ([namespace, name]) =>
      onObject('Gateway', namespace, name, (object) =>
        ((object.status?.['addresses'] ?? []) as readonly unknown[]).length === 0
          ? 'it has no address'
          : staleCondition(object),
      ),
  },
  {
    shape: new RegExp(`^${gateway}: every listener in status has (.+)$`),
    judge: ([namespace, name, conditions = '']) =>
      onObject('Gateway', namespace, name, (object) =>
        first(listenersOf(object), (listener) =>
          prefixed(
            `listener ${listener.name}: `,
            judgeConditions(listener.conditions, wantedConditions(conditions), object),
          ),
        ),
      ),
  },
  {
    shape: new RegExp(
      `^${gateway}: status\\.listeners is empty, or holds exactly one listener with attachedRoutes = 0$`,
    ),
    judge: ([namespace, name]) =>
      onObject('Gateway', namespace, name, (object) => {
        const listeners = listenersOf(object);
        const attached = listeners[0]?.attachedRoutes ?? 0;
        return listeners.length > 1 || attached !== 0
          ? `${listeners.length} listeners, of which the first has ${attached} routes`
          : undefined;
      }),
  },
  {
    shape: new RegExp(
      `^${gateway}, exactly (\\d+) listener\\(s\\) in status; listener (\\S+): supportedKinds (is empty|includes (\\S+)), conditions (.+), attachedRoutes = (\\d+)$`,
    ),
    judge: ([namespace, name, count, listenerName, , kind, conditions = '', attached]) =>
      onObject('Gateway', namespace, name, (object) => {
        const listeners = listenersOf(object);
        const listener = listeners.find((each) => each.name === listenerName);
        if (listeners.length !== Number(count) || listener === undefined) {
          return `the listeners are ${listeners.map((each) => each.name).join(', ')}`;
        }
        const kinds = (listener.supportedKinds ?? []).map((each) => `${each.group ?? group}/${each.kind}`);
        if (kind === undefined || kind === '' ? kinds.length > 0 : !kinds.includes(kind)) {
          return `supportedKinds are ${kinds.join(', ')}`;
        }
        return listener.attachedRoutes === Number(attached)
          ? judgeConditions(listener.conditions, wantedConditions(conditions), object)
          : `attachedRoutes is ${listener.attachedRoutes}`;
      }),
  },
  {
    shape:
      /^Every Gateway in namespace\(s\) (\S+): conditions carry the current observedGeneration, (.+); every Pod there is Ready/,
    judge:
      ([namespace = '', conditions = '']) =>
      async (client) =>
        first(
          (await client.list(`${group}/v1`, 'Gateway', namespace)).filter(
            ({ metadata }) => metadata.annotations?.['gateway-api/skip-this-for-readiness'] !== 'true',
          ),
          (object) =>
            prefixed(
              `Gateway ${object.metadata.name}: `,
              judgeConditions(conditionsOf(object), wantedConditions(conditions), object),
            ),
        ),
  },
  {
    shape: new RegExp(
      `^${route}: status\\.parents has parent ${gateway} (?:\\(one status\\.parents entry per sectionName (.+?)\\) )?with the controller's own controllerName, conditions? (.+)$`,
    ),
    judge: ([kind = '', namespace, name, parentNamespace, parentName, sections, conditions = '']) =>
      onObject(kind, namespace, name, (object) =>
        first(sections === undefined ? [undefined] : sections.split(', '), (section) => {
          const parents = parentsOf(object, parentNamespace, parentName).filter(
            ({ parentRef }) => section === undefined || parentRef.sectionName === section,
          );
          return parents.length === 1
            ? judgeConditions(parents[0]?.conditions ?? [], wantedConditions(conditions), object)
            : `${parents.length} entries for the parent ${section ?? ''}`;
        }),
      ),
  },
  {
    shape: new RegExp(`^${route}, parent ${gateway}: condition (.+)$`),
    judge: ([kind = '', namespace, name, parentNamespace, parentName, conditions = '']) =>
      onObject(kind, namespace, name, (object) => {
        const parents = parentsOf(object, parentNamespace, parentName);
        return parents.length === 0
          ? 'no entry for the parent'
          : first(parents, (parent) => judgeConditions(parent.conditions, wantedConditions(conditions), object));
      }),
  },
  {
    shape: new RegExp(`^${gateway}: condition (.+)$`),
    judge: ([namespace, name, conditions = '']) =>
      onObject('Gateway', namespace, name, (object) =>
        judgeConditions(conditionsOf(object), wantedConditions(conditions), object),
      ),
  },
  {
    shape: new RegExp(`^${gateway}, listener (\\S+): condition (.+)$`),
    judge: ([namespace, name, listener, conditions = '']) =>
      onObject('Gateway', namespace, name, (object) => {
        const found = listenersOf(object).find((each) => each.name === listener);
        return judgeConditions(found?.conditions ?? [], wantedConditions(conditions), object);
      }),
  },
  {
    shape: /^BackendTLSPolicy (\S+)\/(\S+), ancestor (\S+) (\S+)\/(\S+): condition (.+)$/,
    judge: ([namespace, name, kind, ancestorNamespace, ancestorName, conditions = '']) =>
      onObject('BackendTLSPolicy', namespace, name, (object) => {
        const found = ((object.status?.['ancestors'] ?? []) as readonly StoredAncestor[]).find(
          ({ ancestorRef: ref, controllerName: by }) =>
            ref.kind === kind &&
            ref.namespace === ancestorNamespace &&
            ref.name === ancestorName &&
            by === controllerName,
        );
        return judgeConditions(found?.conditions ?? [], wantedConditions(conditions), object);
      }),
  },
  {
    shape: new RegExp(
      `^${route}: status\\.parents is empty, or holds exactly one entry whose condition is Accepted=False$`,
    ),
    judge: ([kind = '', namespace, name]) =>
      onObject(kind, namespace, name, (object) => {
        const parents = allParents(object);
        const accepted = parents[0]?.conditions.find(({ type }) => type === 'Accepted');
        return parents.length > 1 || (parents.length === 1 && accepted?.status !== 'False')
          ? `${parents.length} entries, the first Accepted=${accepted?.status}`
          : undefined;
      }),
  },
];

/**
 * What a sentence of the data asks of the stored objects: the judge's result is what is wrong, undefined if nothing.
 * @throws Error for a sentence of a shape that is not known: it may not be passed over.
 */
export function statusJudge(sentence: string): Judge {
  for (const { shape, judge } of sentences) {
    const match = shape.exec(sentence);
    if (match !== null) {
      return judge(match.slice(1));
    }
  }
  throw new Error(`not a known kind of expectation: ${sentence}`);
}

function onObject(
  kind: string,
  namespace: string | undefined,
  name: string | undefined,
  judge: (object: StoredObject) => string | undefined,
): Judge {
  return async (client) => {
    const object = await client.find(`${group}/v1`, kind, namespace, name ?? '');
    return object === undefined ? 'there is no such object' : judge(object);
  };
}

function first<T>(items: readonly T[], judge: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const problem = judge(item);
    if (problem !== undefined) {
      return problem;
    }
  }
  return undefined;
}

function prefixed(prefix: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${prefix}${problem}`;
}

function conditionsOf({ status }: StoredObject): readonly StoredCondition[] {
  return (status?.['conditions'] ?? []) as readonly StoredCondition[];
}

function listenersOf({ status }: StoredObject): readonly StoredListener[] {
  return (status?.['listeners'] ?? []) as readonly StoredListener[];
}

function allParents({ status }: StoredObject): readonly StoredParent[] {
  return (status?.['parents'] ?? []) as readonly StoredParent[];
}

function parentsOf(
  object: StoredObject,
  namespace: string | undefined,
  name: string | undefined,
): readonly StoredParent[] {
  return allParents(object).filter(
    ({ parentRef, controllerName: by }) =>
      (parentRef.group ?? group) === group &&
      (parentRef.kind ?? 'Gateway') === 'Gateway' &&
      parentRef.name === name &&
      (parentRef.namespace ?? object.metadata.namespace) === namespace &&
      by === controllerName,
  );
}

/** Every condition anywhere in the status is of the current generation. */
function staleCondition(object: StoredObject): string | undefined {
  const all = [
    ...conditionsOf(object),
    ...listenersOf(object).flatMap(({ conditions }) => conditions),
    ...allParents(object).flatMap(({ conditions }) => conditions),
  ];
  const stale = all.find(({ observedGeneration }) => observedGeneration !== object.metadata.generation);
  return all.length === 0
    ? 'it has no condition'
    : stale === undefined
      ? undefined
      : `condition ${stale.type} is of generation ${stale.observedGeneration}, not ${object.metadata.generation}`;
}

/** `A=True (reason X), B=True and C=False (any reason)`. */
function wantedConditions(text: string): readonly WantedCondition[] {
  return [...text.matchAll(/(\w+)=(True|False)(?: \((?:any reason|reason (\w+))\))?/g)].map(
    ([, type = '', status = '', reason]) => ({ type, status, reason }),
  );
}

function judgeConditions(
  conditions: readonly StoredCondition[],
  wanted: readonly WantedCondition[],
  { metadata }: KubeObject,
): string | undefined {
  if (wanted.length === 0) {
    throw new Error('the sentence names no condition');
  }
  return first(wanted, ({ type, status, reason }) => {
    const got = conditions.find((condition) => condition.type === type);
    if (got === undefined) {
      return `there is no condition ${type}`;
    }
    if (got.observedGeneration !== metadata.generation) {
      return `condition ${type} is of generation ${got.observedGeneration}, not ${metadata.generation}`;
    }
    return got.status === status && (reason === undefined || got.reason === reason)
      ? undefined
      : `${type}=${got.status} (${got.reason}: ${got.message}), not ${status} (${reason ?? 'any reason'})`;
  });
}
