import { MeshError } from '@weft/base';
import { usageFailure } from '../cli-failure.ts';
import { type ApiFlags, type Context, withApi } from '../context.ts';
import { parseOutputFormat, printValue } from '../terminal/output.ts';

export interface ConfigDumpOptions extends ApiFlags {
  readonly type?: string;
  readonly namespace?: string;
  readonly output?: string;
}

/** Names of `--type` and the xDS types that they stand for. */
export const dumpTypes: Readonly<Record<string, readonly string[]>> = {
  listeners: ['LDS'],
  routes: ['RDS', 'VHDS'],
  clusters: ['CDS'],
  endpoints: ['EDS'],
  secrets: ['SDS'],
};

/** `weft config dump WORKLOAD`: what the control plane wants that proxy to have. Keys are left out by the server. */
export async function configDump(context: Context, workload: string, options: ConfigDumpOptions): Promise<void> {
  const { terminal } = context;
  const format = parseOutputFormat(options.output ?? 'yaml', ['json', 'yaml']);
  const types = options.type === undefined ? undefined : dumpTypes[options.type];
  if (options.type !== undefined && types === undefined) {
    throw usageFailure(
      `unknown type ${JSON.stringify(options.type)}`,
      `use one of: ${Object.keys(dumpTypes).join(', ')}`,
    );
  }
  await withApi(context, options, async (api) => {
    const { namespace, name } = await findProxy();
    const dump = await api.configDump(namespace, name);
    const wanted = types === undefined ? dump.types : dump.types.filter((entry) => types.includes(entry.type));
    printValue(terminal, { ...dump, types: wanted }, format === 'json' ? 'json' : 'yaml');

    /** `NAMESPACE/NAME`, `NAME`, or the beginning of one name. */
    async function findProxy(): Promise<{ readonly namespace: string; readonly name: string }> {
      const slash = workload.indexOf('/');
      const inNamespace = slash < 0 ? (options.namespace ?? api.defaultNamespace) : workload.slice(0, slash);
      const wantedName = workload.slice(slash + 1);
      const known = (await api.proxies()).proxies.filter((proxy) => proxy.namespace === inNamespace);
      const exact = known.find((proxy) => proxy.name === wantedName);
      const similar = known.filter((proxy) => proxy.name.startsWith(wantedName));
      if (exact !== undefined) {
        return exact;
      }
      const [only] = similar;
      if (only !== undefined && similar.length === 1) {
        return only;
      }
      throw new MeshError('NOT_FOUND', `there is no proxy ${JSON.stringify(wantedName)} in namespace ${inNamespace}`, {
        hint: `There ${known.length === 1 ? 'is' : 'are'}: ${known.map((proxy) => proxy.name).join(', ') || 'none'}.`,
      });
    }
  });
}
