import { MeshError } from '@weft/base';
import { readPrivateFile, writePrivateFile } from '@weft/identity/authority';
import { type DefaultsName, defaultsNameFrom } from '@weft/translate';

/**
 * The defaults of the mesh in a state folder. They stay what they were until somebody asks for others: a start without the flag must not change
 * the timeouts of every workload.
 * @param path of the file that keeps them.
 * @param asked undefined: those that are kept, else Istio's.
 * @throws MeshError `BAD_CONFIGURATION` when the file holds something else.
 */
export async function keepDefaults(path: string, asked: DefaultsName | undefined): Promise<DefaultsName> {
  const kept = parse(path, await readPrivateFile(path));
  if (asked !== undefined && asked !== kept) {
    await writePrivateFile(path, `${JSON.stringify({ defaults: asked }, undefined, 2)}\n`);
  }
  return asked ?? kept ?? 'istio';
}

function parse(path: string, text: string | undefined): DefaultsName | undefined {
  if (text === undefined) {
    return undefined;
  }
  let content: { readonly defaults?: unknown } | null;
  try {
    content = JSON.parse(text) as typeof content;
  } catch (error) {
    throw new MeshError('BAD_CONFIGURATION', `${path} is not JSON`, { cause: error, hint });
  }
  const name = defaultsNameFrom(content?.defaults);
  if (name === undefined) {
    throw new MeshError('BAD_CONFIGURATION', `${path}: defaults must be istio or envoy`, { hint });
  }
  return name;
}

const hint = 'Remove the file, and start with the defaults that the mesh is to have: weft up --defaults istio.';
