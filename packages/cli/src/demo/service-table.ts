import { type MtlsState, type Overview, outcomeOf, rateText, type ServiceSummary, type Traffic } from '@weft/admin-api';
import type { Style } from '../terminal/style.ts';
import { formatTable, type TableColumn } from '../terminal/table.ts';

const columns: readonly TableColumn[] = [
  { title: 'SERVICE' },
  { title: 'INSTANCES', align: 'right' },
  { title: 'SIDECAR' },
  { title: 'mTLS' },
  { title: 'RATE', align: 'right' },
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
      rateText(service.traffic),
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
        rateText(instance.traffic),
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

function success(traffic: Traffic, style: Style): string {
  const { text, share } = outcomeOf(traffic, '-');
  return share === null ? text : share >= 0.999 ? style.good(text) : share >= 0.95 ? style.warn(text) : style.bad(text);
}
