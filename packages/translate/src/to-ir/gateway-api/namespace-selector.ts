import type { MeshState } from '../../state/mesh-state.ts';

/** `meta.v1.LabelSelector` as Gateway API chooses namespaces by it. */
interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[]
    | undefined;
}

/** Which namespaces may attach something. */
interface NamespaceChoice {
  readonly from?: string | undefined;
  readonly selector?: LabelSelector | undefined;
}

/** Whether a namespace is among those that `choice` allows. @param own namespace of the object that allows; nothing is said = none. */
export function allowsNamespace(
  state: MeshState,
  { from, selector }: NamespaceChoice,
  own: string,
  namespace: string,
): boolean {
  switch (from) {
    case 'All':
      return true;
    case 'Same':
      return namespace === own;
    case 'Selector':
      return selectsNamespace(state, selector, namespace);
    default:
      return false;
  }
}

function selectsNamespace(state: MeshState, selector: LabelSelector | undefined, namespace: string): boolean {
  if (selector === undefined) {
    return false;
  }
  const labels: Readonly<Record<string, string>> = {
    ...state.object('/Namespace', `/${namespace}`)?.metadata.labels,
    'kubernetes.io/metadata.name': namespace,
  };
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    })
  );
}
