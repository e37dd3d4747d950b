import type { Overview, ProxySummary, TypeSync } from '@weft/admin-api';
import { type ApiFlags, type Context, withApi } from '../context.ts';
import { serviceTable } from '../demo/service-table.ts';
import { parseOutputFormat, printValue } from '../terminal/output.ts';
import { printable, type Style } from '../terminal/style.ts';
import { formatAge, formatTable } from '../terminal/table.ts';

export interface StatusOptions extends ApiFlags {
  readonly namespace?: string;
  readonly output?: string;
  readonly window?: number;
}

const defaultWindowSeconds = 30;

/** `weft status`: services with their traffic, and every proxy with its identity and the state of its configuration. */
export async function status(context: Context, options: StatusOptions): Promise<void> {
  const { terminal } = context;
  const format = parseOutputFormat(options.output, ['table', 'wide', 'json', 'yaml']);
  await withApi(context, options, async (api) => {
    const [overview, list] = await Promise.all([api.overview(options.window ?? defaultWindowSeconds), api.proxies()]);
    const mine = (item: { readonly namespace: string }): boolean =>
      options.namespace === undefined || item.namespace === options.namespace;
    const services = overview.services.filter(mine);
    const proxies = list.proxies.filter(mine);
    if (format === 'json' || format === 'yaml') {
      printValue(terminal, { defaults: overview.defaults, services, proxies, errors: overview.errors }, format);
      return;
    }
    terminal.out(
      statusText({ ...overview, services }, proxies, terminal.style, terminal.clock.now(), format === 'wide'),
    );
  });
}

/** The two tables, then what needs attention. */
export function statusText(
  overview: Overview,
  proxies: readonly ProxySummary[],
  style: Style,
  nowMs: number,
  wide: boolean,
): string {
  const parts = [serviceTable(overview, style)];
  if (proxies.length === 0) {
    parts.push('no proxies yet: `weft run` brings a command into the mesh\n');
  } else {
    parts.push(
      formatTable(
        [
          { title: 'PROXY' },
          { title: 'IDENTITY' },
          { title: 'ENGINE' },
          { title: 'VERSION' },
          { title: 'STATE' },
          { title: 'SEEN' },
          ...syncTypes.map((title) => ({ title })),
          ...(wide ? [{ title: 'MEMORY', align: 'right' as const }] : []),
        ],
        proxies.map((proxy) => proxyRow(proxy, style, nowMs, wide)),
      ),
    );
  }
  const nacked = proxies.filter((proxy) => proxy.lastNack !== undefined && proxy.state === 'NACKED');
  for (const proxy of nacked) {
    const nack = proxy.lastNack;
    if (nack !== undefined) {
      parts.push(
        `${style.bad('refused')} by ${proxy.namespace}/${proxy.name}: ${nack.type} ${nack.resources.join(', ')}\n  ${printable(nack.message)}\n`,
      );
    }
  }
  parts.push(...adviceLines(overview, style), style.faint(`mesh defaults: ${overview.defaults}`).concat('\n'));
  return parts.join('\n');
}

/** What ports should declare, by what their clients were seen to speak. */
function adviceLines(overview: Overview, style: Style): string[] {
  return overview.services.flatMap(({ namespace, name, ports }) =>
    ports.flatMap(({ advice }) =>
      advice === undefined
        ? []
        : [
            `${advice.kind === 'mismatch' ? style.warn('mismatch') : style.faint('hint')}: service ${namespace}/${name} ${advice.message}\n  ${advice.fix}\n`,
          ],
    ),
  );
}

const syncTypes = ['LDS', 'RDS', 'VHDS', 'CDS', 'EDS', 'SDS'] as const;

function proxyRow(proxy: ProxySummary, style: Style, nowMs: number, wide: boolean): string[] {
  const seen = proxy.lastSeen === undefined ? '' : formatAge(nowMs - Date.parse(proxy.lastSeen));
  return [
    `${proxy.namespace}/${proxy.name}`,
    proxy.identity,
    proxy.engine,
    proxy.version,
    stateText(proxy, style),
    proxy.connected ? 'now' : seen,
    ...syncTypes.map((type) =>
      typeText(
        proxy.sync.find((sync) => sync.type === type),
        style,
      ),
    ),
    ...(wide ? [proxy.memoryBytes === undefined ? '' : `${Math.round(proxy.memoryBytes / 1048576)} MiB`] : []),
  ];
}

function stateText(proxy: ProxySummary, style: Style): string {
  if (!proxy.connected) {
    return style.bad('away');
  }
  return coloured(proxy.state, style)(proxy.state.toLowerCase().replace('_', ' '));
}

function typeText(sync: TypeSync | undefined, style: Style): string {
  if (sync === undefined || sync.state === 'NOT_SENT') {
    return '';
  }
  const text = sync.state === 'SYNCED' ? `${sync.resources}` : `${sync.resources} ${sync.state.toLowerCase()}`;
  return coloured(sync.state, style)(text);
}

function coloured(state: string, style: Style): (text: string) => string {
  return state === 'SYNCED' ? style.good : state === 'NACKED' ? style.bad : style.warn;
}
