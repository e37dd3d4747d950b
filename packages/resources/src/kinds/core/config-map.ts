import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age } from '../../format/columns.ts';
import { bytes, flag, map, object, text } from '../../schema/fields.ts';
import { validateConfigMap, validateConfigMapUpdate } from './data-validation.ts';

function configMapSchema() {
  return object('A config map.', {
    data: map('Content as text.', text('One value.')),
    binaryData: map('Content that is not text, as base64.', bytes('One value.')),
    immutable: flag('Once true, the content cannot be changed and this cannot be taken back.'),
  });
}

/** Configuration as pairs of key and value. */
export type ConfigMap = ObjectOf<typeof configMapSchema>;

export const configMapKind = declareKind<ConfigMap>({
  group: '',
  versions: ['v1'],
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  categories: [],
  namespaced: true,
  hasStatus: false,
  description: 'Configuration as pairs of key and value, for programs and for Weft itself.',
  schema: configMapSchema,
  validate: validateConfigMap,
  validateUpdate: validateConfigMapUpdate,
  columns: [
    {
      name: 'Data',
      type: 'integer',
      priority: 0,
      description: 'How many values it has.',
      value: (object) => Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
    },
    age,
  ],
});
