import type { Service } from '@weft/resources';
import { usageFailure } from '../cli-failure.ts';
import { protocolOfPort } from './objects.ts';
import type { ServedPort, WorkloadSpec } from './workload-spec.ts';

/**
 * Which port of its service a workload serves: that of the existing Service, or the one that a new Service gets.
 * @throws CliFailure (a usage mistake) when the flags do not fit the Service.
 */
export function servedPort(spec: WorkloadSpec, service: string, existing: Service | undefined): ServedPort {
  const wanted = spec.port.servicePort;
  if (existing === undefined) {
    const protocol = spec.protocol ?? 'http';
    const port = wanted ?? (protocol === 'tcp' || protocol === 'auto' ? spec.port.appPort : 80);
    if (port === undefined) {
      throw usageFailure(
        `service ${service} does not exist yet and its port is not known`,
        'give the port that peers connect to, for example --port 7000:0 (the 0 lets Weft choose what the command listens on)',
      );
    }
    return { name: protocol, port, protocol };
  }
  const ports = existing.spec?.ports ?? [];
  const fitting = ports.filter(
    (port) =>
      (wanted === undefined || port.port === wanted) &&
      (spec.protocol === undefined || protocolOfPort(port) === spec.protocol),
  );
  const [only] = fitting;
  if (only === undefined || fitting.length > 1) {
    const list = ports.map((port) => `${port.port} (${protocolOfPort(port)})`).join(', ');
    throw usageFailure(
      `service ${service} has ${fitting.length === 0 ? 'no port that fits' : 'several ports that fit'}: it has ${list === '' ? 'none' : list}`,
      'choose one with --port SERVICEPORT:PORT, or change the Service with `weft apply`',
    );
  }
  return { name: only.name ?? '', port: only.port, protocol: protocolOfPort(only) };
}
