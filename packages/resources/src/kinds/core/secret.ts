import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age } from '../../format/columns.ts';
import { bytes, flag, object, secretMap, secretText, text } from '../../schema/fields.ts';
import { validateSecret, validateSecretUpdate } from './data-validation.ts';

function secretSchema() {
  return object('A secret.', {
    data: secretMap('The content, as base64.', bytes('One value.')),
    stringData: secretMap('Content as plain text; only written, merged into `data`.', secretText('One value.')),
    immutable: flag('Once true, the content cannot be changed and this cannot be taken back.'),
    type: text('What the content is: Opaque (default), kubernetes.io/tls and so on. It cannot be changed.'),
  });
}

/** A small amount of data that not everyone may read. */
export type Secret = ObjectOf<typeof secretSchema>;

function withDefaults(secret: Secret): Secret {
  const { stringData, ...rest } = secret;
  const written = Object.entries(stringData ?? {}).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return {
    ...rest,
    type: secret.type ?? 'Opaque',
    ...(written.length === 0 ? {} : { data: { ...secret.data, ...Object.fromEntries(written) } }),
  };
}

export const secretKind = declareKind<Secret>({
  group: '',
  versions: ['v1'],
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  shortNames: [],
  categories: [],
  namespaced: true,
  hasStatus: false,
  description: 'A small amount of data that not everyone may read: keys, certificates, passwords.',
  schema: secretSchema,
  withDefaults,
  validate: validateSecret,
  validateUpdate: validateSecretUpdate,
  columns: [
    { name: 'Type', type: 'string', priority: 0, description: 'What the content is.', value: (object) => object.type },
    {
      name: 'Data',
      type: 'integer',
      priority: 0,
      description: 'How many values it has.',
      value: (object) => Object.keys(object.data ?? {}).length,
    },
    age,
  ],
});
