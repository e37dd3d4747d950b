import { checkAnnotations, checkLabels } from '../../format/labels.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { checkOneOf } from './istio-checks.ts';
import { checkWorkloadEntrySpec } from './workload-entry-validation.ts';
import type { WorkloadGroup, WorkloadProbe } from './workload-group.ts';

const methods = ['httpGet', 'tcpSocket', 'exec', 'grpc'] as const;

function checkProbe(place: Place, probe: WorkloadProbe): void {
  checkOneOf(place, probe, methods);
  if (methods.every((method) => probe[method] === undefined)) {
    place.required('the way to check is missing', `Add one of ${methods.join(', ')}.`);
  }
  const { httpGet, exec, grpc } = probe;
  if (httpGet?.scheme !== undefined && !['', 'HTTP', 'HTTPS'].includes(httpGet.scheme)) {
    place.at('httpGet', 'scheme').invalid(httpGet.scheme, 'scheme must be one of [HTTP, HTTPS]', 'Use HTTP or HTTPS.');
  }
  if (httpGet?.path !== undefined && httpGet.path !== '' && !httpGet.path.startsWith('/')) {
    place.at('httpGet', 'path').invalid(httpGet.path, 'a path begins with /', `Write /${httpGet.path}.`);
  }
  if (exec?.command.length === 0) {
    place.at('exec', 'command').required('the command is empty', 'Name the program to run.');
  }
  if (grpc !== undefined && grpc.port === undefined) {
    place.at('grpc', 'port').required('the port is missing', 'Add the port of the health service.');
  }
}

export function validateWorkloadGroup({ spec }: WorkloadGroup): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  checkLabels(place.at('metadata', 'labels'), spec.metadata?.labels);
  checkAnnotations(place.at('metadata', 'annotations'), spec.metadata?.annotations);
  checkWorkloadEntrySpec(place.at('template'), spec.template, false);
  if (spec.probe !== undefined) {
    checkProbe(place.at('probe'), spec.probe);
  }
  return root.violations;
}
