import { join } from 'node:path';
import type { KubeObject } from '@weft/resources';
import { documentsOf } from '../crds/documents.ts';

export const className = 'weft';
const controllerName = 'weft.dev/gateway-controller';

/** A Deployment, as far as the harness stands in for it. */
export interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly containers: readonly {
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
        readonly volumes?: readonly { readonly secret?: { readonly secretName: string } }[];
      };
    };
  };
}

export interface Manifests {
  /** What is applied as it stands. */
  readonly objects: readonly KubeObject[];
  readonly deployments: readonly Deployment[];
}

/** The documents of files below `manifests/`, with the placeholders filled in. */
export function readManifests(folder: string, files: readonly string[]): Manifests {
  const all = files
    .flatMap((file) => documentsOf(join(folder, 'manifests', file)))
    .map(({ value }) => filledIn(value) as KubeObject);
  const isDeployment = ({ kind }: KubeObject): boolean => kind === 'Deployment';
  return {
    objects: all.filter((object) => !isDeployment(object)),
    deployments: all.filter(isDeployment) as unknown as readonly Deployment[],
  };
}

function filledIn(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value)
      .replaceAll('{GATEWAY_CLASS_NAME}', className)
      .replaceAll('{GATEWAY_CONTROLLER_NAME}', controllerName),
  );
}
