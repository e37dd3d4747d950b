import type { KindDeclaration, KubeObject } from '@weft/resources';
import { durationText } from './duration-text.ts';

/** What of each object goes beside its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/**
 * `meta.k8s.io/v1 Table` of objects, as `kubectl get` asks for it: the name, then the kind's columns; times as ages.
 * @param options.nowMs for ages, milliseconds since the Unix epoch.
 * @param options.headers false leaves the column definitions out: only the first event of a watch carries them.
 */
export function tableFrom(
  kind: KindDeclaration,
  objects: readonly KubeObject[],
  options: {
    readonly includeObject: IncludeObject;
    readonly nowMs: number;
    readonly headers?: boolean;
    readonly listMetadata?: Readonly<Record<string, unknown>>;
  },
): unknown {
  const { includeObject, nowMs } = options;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.listMetadata ?? {},
    columnDefinitions: options.headers === false ? [] : columnDefinitions(kind),
    rows: objects.map((object) => ({
      cells: [object.metadata.name, ...kind.columns.map((column) => cell(column.type, column.value(object), nowMs))],
      ...(includeObject === 'None' ? {} : { object: includeObject === 'Object' ? object : metadataOnly(object) }),
    })),
  };
}

function columnDefinitions(kind: KindDeclaration): readonly unknown[] {
  return [
    { name: 'Name', type: 'string', format: 'name', description: `Name of the ${kind.kind}.`, priority: 0 },
    ...kind.columns.map(({ name, type, description, priority }) => ({
      name,
      type: type === 'date' ? 'string' : type,
      format: '',
      description,
      priority,
    })),
  ];
}

function cell(type: string, value: string | number | boolean | undefined, nowMs: number): string | number | boolean {
  if (value === undefined || value === '') {
    return '<none>';
  }
  if (type === 'date') {
    const time = Date.parse(String(value));
    return Number.isNaN(time) ? '<unknown>' : durationText(nowMs - time);
  }
  return value;
}

function metadataOnly(object: KubeObject): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}
