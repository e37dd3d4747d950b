import type { MeshState } from '../../state/mesh-state.ts';

/** The kind of object that refers, and where it is. */
export interface Referrer {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

/** What is referred to. */
export interface Referent {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Whether `from` may refer to `to`: in its own namespace always, in another one where a ReferenceGrant there says so. */
export function mayRefer(state: MeshState, from: Referrer, to: Referent): boolean {
  return (
    from.namespace === to.namespace ||
    state
      .list('gateway.networking.k8s.io/ReferenceGrant')
      .some(
        ({ metadata, spec }) =>
          metadata.namespace === to.namespace &&
          (spec?.from ?? []).some(
            ({ group, kind, namespace }) => group === from.group && kind === from.kind && namespace === from.namespace,
          ) &&
          (spec?.to ?? []).some(
            ({ group, kind, name }) =>
              group === to.group && kind === to.kind && (name === undefined || name === '' || name === to.name),
          ),
      )
  );
}
