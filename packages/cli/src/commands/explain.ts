import type { MeshApi } from '../api/mesh-api.ts';
import { usageFailure } from '../cli-failure.ts';
import { type ApiFlags, type Context, withApi } from '../context.ts';
import { parseOutputFormat, printValue } from '../terminal/output.ts';
import { effectiveText, requestText } from './explanation-text.ts';

export interface ExplainOptions extends ApiFlags {
  readonly from?: string;
  readonly namespace?: string;
  readonly header?: readonly string[];
  readonly output?: string;
}

/** `weft explain NAME`: the effective values of a service or of a workload's proxy, each with where it comes from. */
export async function explainName(context: Context, name: string | undefined, options: ExplainOptions): Promise<void> {
  const { terminal } = context;
  const { from } = options;
  const format = parseOutputFormat(options.output, ['table', 'json', 'yaml']);
  if (name === undefined) {
    throw usageFailure('no name was given', 'name a service or a workload: weft explain reviews');
  }
  await withApi(context, options, async (api) => {
    const namespace = options.namespace ?? api.defaultNamespace;
    const query = new URLSearchParams({ name, namespace });
    if (from !== undefined) {
      const proxy = await findProxy(api, from, namespace);
      query.set('from', `${proxy.namespace}/${proxy.name}`);
    }
    const explanation = await api.explainName(query);
    if (format === 'json' || format === 'yaml') {
      printValue(terminal, explanation, format);
    } else {
      terminal.out(effectiveText(explanation, terminal.style));
    }
  });
}

/** `weft explain request`: one request through the effective configuration of a proxy. */
export async function explainRequest(
  context: Context,
  method: string,
  url: string,
  options: ExplainOptions,
): Promise<void> {
  const { terminal } = context;
  const { from } = options;
  const format = parseOutputFormat(options.output, ['table', 'json', 'yaml']);
  if (from === undefined) {
    throw usageFailure(
      '--from is missing',
      'name the workload that sends it: --from storefront, or --from shop/storefront-1',
    );
  }
  await withApi(context, options, async (api) => {
    const proxy = await findProxy(api, from, options.namespace ?? api.defaultNamespace);
    const query = new URLSearchParams({ method, url: url.includes('://') ? url : `http://${url}` });
    for (const header of options.header ?? []) {
      query.append('header', header);
    }
    const explanation = await api.explain(proxy.namespace, proxy.name, query);
    if (format === 'json' || format === 'yaml') {
      printValue(terminal, explanation, format);
    } else {
      terminal.out(requestText(explanation, `${method.toUpperCase()} ${url}`, terminal.style));
    }
  });
}

/** A proxy by its name, or by the beginning of it up to a dash, in which all that match behave alike. */
async function findProxy(
  api: MeshApi,
  from: string,
  defaultNamespace: string,
): Promise<{ readonly namespace: string; readonly name: string }> {
  const [first = '', second] = from.split('/');
  const [namespace, name] = second === undefined ? [defaultNamespace, first] : [first, second];
  const { proxies } = await api.proxies();
  const own = proxies.filter((proxy) => proxy.namespace === namespace);
  const found = own.find((proxy) => proxy.name === name) ?? own.find((proxy) => proxy.name.startsWith(`${name}-`));
  if (found === undefined) {
    const names = own.map((proxy) => proxy.name).join(', ');
    throw usageFailure(
      `there is no workload ${namespace}/${name}`,
      names === '' ? `no workload runs in namespace ${namespace}; use --namespace` : `use one of: ${names}`,
    );
  }
  return found;
}
