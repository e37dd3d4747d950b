import { MeshError } from '@weft/base';
import { readPrivateFile, writePrivateFile } from '@weft/identity/authority';
import { type PathNormalization, pathNormalizations } from '@weft/ir';
import { type DefaultsName, defaultsNameFrom } from '@weft/translate';

/** What a mesh was told at a start and keeps: it concerns every workload. */
export interface KeptSettings {
  /** What is in force where no resource says anything. */
  readonly defaults: DefaultsName;
  /** What becomes of paths before routes see them. */
  readonly pathNormalization: PathNormalization;
}

const first: KeptSettings = { defaults: 'istio', pathNormalization: 'base' };

/**
 * The settings of the mesh in a state folder. They stay what they were until somebody asks for others: a start without the flags must not change
 * the timeouts of every workload.
 * @param path of the file that keeps them.
 * @param asked what is absent stays as it is kept.
 * @throws MeshError `BAD_CONFIGURATION` when the file holds something else.
 */
export async function keepSettings(path: string, asked: Partial<KeptSettings>): Promise<KeptSettings> {
  const kept = parse(path, await readPrivateFile(path));
  const settings = { ...first, ...kept, ...asked };
  if (Object.keys(asked).some((name) => asked[name as keyof KeptSettings] !== kept?.[name as keyof KeptSettings])) {
    await writePrivateFile(path, `${JSON.stringify(settings, undefined, 2)}\n`);
  }
  return settings;
}

/** @returns undefined when `value` is no mode. */
export function pathNormalizationFrom(value: unknown): PathNormalization | undefined {
  return pathNormalizations.find((mode) => mode === value);
}

function parse(path: string, text: string | undefined): Partial<KeptSettings> | undefined {
  if (text === undefined) {
    return undefined;
  }
  let content: Readonly<Record<keyof KeptSettings, unknown>> | null;
  try {
    content = JSON.parse(text) as typeof content;
  } catch (error) {
    throw new MeshError('BAD_CONFIGURATION', `${path} is not JSON`, { cause: error, hint });
  }
  const defaults = defaultsNameFrom(content?.defaults);
  if (defaults === undefined) {
    throw new MeshError('BAD_CONFIGURATION', `${path}: defaults must be istio or envoy`, { hint });
  }
  if (content?.pathNormalization === undefined) {
    return { defaults };
  }
  const pathNormalization = pathNormalizationFrom(content.pathNormalization);
  if (pathNormalization === undefined) {
    const reason = `pathNormalization must be one of ${pathNormalizations.join(', ')}`;
    throw new MeshError('BAD_CONFIGURATION', `${path}: ${reason}`, { hint });
  }
  return { defaults, pathNormalization };
}

const hint =
  'Remove the file, and start with the settings that the mesh is to have: weft up --defaults istio --path-normalization base.';
