import type { MtlsState, Overview, ServiceSummary, Traffic } from '@weft/admin-api';
import type { Style } from '../terminal/style.ts';
import { formatTable, type TableColumn } from '../terminal/table.ts';

const columns: readonly TableColumn[] = [
  { title: 'SERVICE' },
  { title: 'INSTANCES', align: 'right' },
  { title: 'SIDECAR' },
  { title: 'mTLS' },
  { title: 'RATE/S', align: 'right' },
  { title: 'SUCCESS', align: 'right' },
];

/** The table of services for people; a service with several versions has a line for each. */
export function serviceTable(overview: Overview, style: Style): string {
  const namespaces = new Set(overview.services.map((service) => service.namespace));
  const rows = overview.services.flatMap((service) => serviceRows(service, namespaces.size > 1, style));
  return rows.length === 0 ? 'no services yet\n' : formatTable(columns, rows);
}

function serviceRows(service: ServiceSummary, withNamespace: boolean, style: Style): string[][] {
  const ready = `${service.readyInstances}/${service.instances.length}`;
  const allReady = service.readyInstances === service.instances.length && service.instances.length > 0;
  const engines = [...new Set(service.instances.map((instance) => instance.engine ?? 'none'))].sort();
  const rows = [
    [
      style.strong(withNamespace ? `${service.namespace}/${service.name}` : service.name),
      allReady ? ready : style.warn(ready),
      engines.join('+'),
      mtlsText(service.mtls, style),
      rate(service.traffic),
      success(service.traffic, style),
    ],
  ];
  const versions = new Set(service.instances.map((instance) => instance.version ?? ''));
  if (versions.size > 1) {
    const instances = [...service.instances].sort((a, b) => a.name.localeCompare(b.name));
    for (const instance of instances) {
      rows.push([
        style.faint(`  ${instance.version ?? instance.name}`),
        instance.ready ? '' : style.warn('not ready'),
        style.faint(instance.engine ?? 'none'),
        ' ',
        rate(instance.traffic),
        success(instance.traffic, style),
      ]);
    }
  }
  return rows;
}

/** Mutual TLS in a word, with the share of instances that have a sidecar where not all do. */
function mtlsText(mtls: MtlsState, style: Style): string {
  if (mtls.mode === undefined || mtls.secured === 0) {
    return mtls.instances === 0 ? '' : style.warn('none');
  }
  const share = mtls.secured === mtls.instances ? '' : ` ${mtls.secured}/${mtls.instances}`;
  const text = `${mtls.mode}${share}`;
  return mtls.mode === 'strict' && share === '' ? style.good(text) : style.warn(text);
}

function rate(traffic: Traffic): string {
  return traffic.requestsPerSecond.toFixed(1);
}

function success(traffic: Traffic, style: Style): string {
  if (traffic.successRate === null) {
    return '-';
  }
  const text = `${(Math.floor(traffic.successRate * 1000) / 10).toFixed(1)} %`;
  return traffic.successRate >= 0.999
    ? style.good(text)
    : traffic.successRate >= 0.95
      ? style.warn(text)
      : style.bad(text);
}
