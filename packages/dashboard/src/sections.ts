import {
  type Edge,
  type InstanceSummary,
  type Overview,
  type ProxySummary,
  type RecentError,
  rateText,
  type ServiceSummary,
  type Traffic,
} from '@weft/admin-api';
import { byId, element, type Row, showRows, toned } from './dom.ts';
import { RateHistory, sparkPoints } from './history.ts';
import { memoryText, mtlsText, portText, proxyState, successText, type Toned } from './text.ts';

const history = new RateHistory();
const nothing: Traffic = { requestsPerSecond: 0, errorsPerSecond: 0, successRate: null, requests: 0, errors: 0 };
const svgNamespace = 'http://www.w3.org/2000/svg';
const spark = { width: 128, height: 24 } as const;

/** Summary, services and errors: everything that one overview says. */
export function showOverview(overview: Overview): void {
  byId('mesh').textContent = `trust domain ${overview.trustDomain} · rates over ${overview.windowSeconds} s`;
  showTiles(overview);
  showRows(byId('service-rows'), overview.services.flatMap(serviceRows));
  byId('no-services').hidden = overview.services.length > 0;
  showErrors(overview.errors);
}

export function showProxies(proxies: readonly ProxySummary[], nowMs: number): void {
  byId('proxies').classList.toggle(
    'no-memory',
    proxies.every((proxy) => proxy.memoryBytes === undefined),
  );
  showRows(
    byId('proxy-rows'),
    proxies.map((proxy) => proxyRow(proxy, nowMs)),
  );
  byId('no-proxies').hidden = proxies.length > 0;
}

export function showEdges(edges: readonly Edge[]): void {
  const busy = edges.filter(({ traffic }) => traffic.requests > 0 || traffic.tcp !== undefined);
  showRows(
    byId('edge-rows'),
    busy.map((edge) => ({
      key: `${edge.source.namespace}/${edge.source.name} ${edge.destination.host}:${edge.destination.port} ${edge.destination.subset}`,
      cells: [
        { label: 'From', content: edge.source.name },
        {
          label: 'To',
          content: `${shortHost(edge.destination.host)}:${edge.destination.port}${edge.destination.subset === '' ? '' : ` (${edge.destination.subset})`}`,
        },
        { label: 'Rate', number: true, content: rateText(edge.traffic) },
        { label: 'Success', number: true, content: toned(successText(edge.traffic)) },
      ],
    })),
  );
  byId('no-edges').hidden = busy.length > 0;
}

function showTiles(overview: Overview): void {
  const { services, proxies } = overview;
  const requests = services.reduce((sum, service) => sum + service.traffic.requestsPerSecond, 0);
  const counted = services.filter((service) => service.traffic.successRate !== null);
  const all = counted.reduce((sum, service) => sum + service.traffic.requests, 0);
  const errors = counted.reduce((sum, service) => sum + service.traffic.errors, 0);
  const secured = services.reduce((sum, service) => sum + service.mtls.secured, 0);
  const instances = services.reduce((sum, service) => sum + service.mtls.instances, 0);
  const tiles: readonly (readonly [string, Toned])[] = [
    ['Services', { text: String(services.length), tone: 'plain' }],
    [
      'Sidecars in sync',
      { text: `${proxies.synced} of ${proxies.total}`, tone: proxies.synced === proxies.total ? 'plain' : 'warn' },
    ],
    ['Requests/s', { text: requests.toFixed(1), tone: 'plain' }],
    ['Success', successText({ ...nothing, successRate: all === 0 ? null : (all - errors) / all })],
    ['Instances with mTLS', { text: `${secured} of ${instances}`, tone: secured === instances ? 'plain' : 'warn' }],
  ];
  const box = byId('tiles');
  tiles.forEach(([title, value], index) => {
    const fresh = element('div', {}, element('dt', {}, title), element('dd', {}, toned(value)));
    const old = box.children[index];
    if (old === undefined) {
      box.append(fresh);
    } else if (!old.isEqualNode(fresh)) {
      old.replaceWith(fresh);
    }
  });
}

function serviceRows(service: ServiceSummary): Row[] {
  const { traffic } = service;
  const isTcp = traffic.tcp !== undefined && traffic.requests === 0;
  const samples = history.add(service.host, isTcp ? (traffic.tcp?.bytesPerSecond ?? 0) : traffic.requestsPerSecond);
  const ready: Toned = {
    text: `${service.readyInstances} of ${service.instances.length} ready`,
    tone: service.readyInstances === service.instances.length && service.readyInstances > 0 ? 'plain' : 'warn',
  };
  const rows: Row[] = [
    {
      key: service.host,
      cells: [
        {
          label: 'Service',
          content: element('span', {}, service.name, portsOf(service)),
        },
        { label: 'Instances', content: toned(ready) },
        { label: 'mTLS', content: toned(mtlsText(service.mtls)) },
        { label: 'Rate', number: true, content: rateText(service.traffic) },
        { label: 'Success', number: true, content: toned(successText(service.traffic)) },
        { label: 'Last minutes', content: sparkline(samples, service.name, isTcp ? 'bytes' : 'requests') },
      ],
    },
  ];
  if (service.instances.length > 1) {
    rows.push(...service.instances.map((instance) => instanceRow(service, instance)));
  }
  return rows;
}

function instanceRow(service: ServiceSummary, instance: InstanceSummary): Row {
  return {
    key: `${service.host} ${instance.name}`,
    part: true,
    cells: [
      {
        label: 'Instance',
        content: instance.version === undefined ? instance.name : `${instance.version} (${instance.name})`,
      },
      {
        label: 'Ready',
        content: instance.ready ? toned({ text: 'ready', tone: 'plain' }) : toned({ text: 'not ready', tone: 'warn' }),
      },
      { label: 'Sidecar', content: instance.engine ?? 'none' },
      { label: 'Rate', number: true, content: rateText(instance.traffic) },
      { label: 'Success', number: true, content: toned(successText(instance.traffic)) },
      { label: '', content: '' },
    ],
  };
}

function proxyRow(proxy: ProxySummary, nowMs: number): Row {
  const state = element('span', {}, toned(proxyState(proxy, nowMs)));
  if (proxy.lastNack !== undefined && proxy.state === 'NACKED') {
    state.append(
      element(
        'span',
        { class: 'detail' },
        `${proxy.lastNack.type} ${proxy.lastNack.resources.join(', ')}: ${proxy.lastNack.message}`,
      ),
    );
  }
  const types = element('span', { class: 'types' });
  for (const sync of proxy.sync.filter((entry) => entry.state !== 'NOT_SENT')) {
    const tone = sync.state === 'SYNCED' ? '' : sync.state === 'NACKED' ? 'bad' : 'warn';
    types.append(
      element('span', { ...(tone === '' ? {} : { class: tone }), title: sync.state }, `${sync.type} ${sync.resources}`),
    );
  }
  return {
    key: `${proxy.namespace}/${proxy.name}`,
    cells: [
      { label: 'Proxy', content: withDetail(proxy.name, proxy.namespace) },
      { label: 'Identity', content: element('span', { class: 'id' }, ...breakable(proxy.identity)) },
      { label: 'Engine', content: `${proxy.engine}${proxy.version === '' ? '' : ` ${proxy.version}`}` },
      { label: 'State', content: state },
      { label: 'Configuration', content: types },
      { label: 'Memory', number: true, content: memoryText(proxy.memoryBytes) },
    ],
  };
}

function showErrors(errors: readonly RecentError[]): void {
  const list = byId('errors');
  const items = errors.slice(0, 20).map((error) => {
    const time = new Date(error.at);
    return element(
      'li',
      {},
      element('time', { datetime: error.at }, time.toLocaleTimeString()),
      element('strong', {}, error.subject),
      element('span', { class: 'detail' }, error.message),
    );
  });
  if (items.length !== list.children.length || items.some((item, index) => !list.children[index]?.isEqualNode(item))) {
    list.replaceChildren(...items);
  }
  byId('no-errors').hidden = errors.length > 0;
}

function withDetail(text: string, detail: string): HTMLElement {
  return element('span', {}, text, element('span', { class: 'detail' }, detail));
}

/** Where the service is, and its ports; what they should declare is shown where the pointer rests. */
function portsOf({ namespace, ports }: ServiceSummary): HTMLElement {
  const advice = ports.flatMap((port) => port.advice ?? []);
  const isWrong = advice.some(({ kind }) => kind === 'mismatch');
  const title = advice.map(({ message, fix }) => `${message}: ${fix}`).join('; ');
  return element(
    'span',
    { class: isWrong ? 'detail warn' : 'detail', ...(title === '' ? {} : { title }) },
    `${namespace} · ${ports.map(portText).join(', ')}`,
  );
}

/** A long name that may be broken after each slash. */
function breakable(text: string): (Node | string)[] {
  return text.split(/(?<=\/)/).flatMap((part, index) => (index === 0 ? [part] : [element('wbr'), part]));
}

function shortHost(host: string): string {
  return host.replace(/\.default\.svc\.cluster\.local$/, '').replace(/\.svc\.cluster\.local$/, '');
}

function sparkline(samples: readonly number[], name: string, what: 'requests' | 'bytes'): SVGElement {
  const svg = document.createElementNS(svgNamespace, 'svg');
  const last = samples.at(-1) ?? 0;
  const attributes = {
    class: 'spark',
    viewBox: `0 0 ${spark.width} ${spark.height}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': `${name}: between ${Math.min(...samples).toFixed(1)} and ${Math.max(...samples).toFixed(1)} ${what} a second, now ${last.toFixed(1)}`,
  };
  for (const [key, value] of Object.entries(attributes)) {
    svg.setAttribute(key, value);
  }
  const line = document.createElementNS(svgNamespace, 'polyline');
  line.setAttribute('points', sparkPoints(samples, spark.width, spark.height));
  svg.append(line);
  return svg;
}
