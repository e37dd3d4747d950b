import { checkLabels } from '../../format/labels.ts';
import { checkName, isLabel } from '../../format/names.ts';
import { isPort } from '../../format/ports.ts';
import type { Place } from '../../place.ts';

/** Rules that several of Istio's kinds share. */

/** Reports all but the first of `fields` that are set. */
export function checkOneOf(place: Place, object: object, fields: readonly string[]): void {
  const set = fields.filter((field) => (object as Readonly<Record<string, unknown>>)[field] !== undefined);
  for (const field of set.slice(1)) {
    place
      .at(field)
      .conflict(`only one of ${fields.join(', ')} can be set, and ${set[0]} is`, `Remove ${field} or ${set[0]}.`);
  }
}

/** `exportTo`: `.`, `*`, `~` (nobody) or namespaces, each once. */
export function checkExportTo(place: Place, exportTo: readonly string[] | undefined, noneAllowed = false): void {
  const seen = new Set<string>();
  const names = exportTo ?? [];
  for (const [index, name] of names.entries()) {
    const here = place.at(index);
    if (seen.has(name)) {
      here.duplicate(name, 'Name each namespace once.');
    }
    seen.add(name);
    if (name === '~' && noneAllowed) {
      if (names.length > 1) {
        here.conflict('`~` (nobody) excludes the other namespaces', 'Remove `~` or the others.');
      }
    } else if (name !== '.' && name !== '*' && !isLabel(name)) {
      checkName(here, name, 'label');
    }
  }
  if (seen.has('*') && names.length > 1) {
    place.conflict('`*` (all namespaces) stands beside others', 'Remove `*` or the others.');
  }
}

/** Names of gateways: `mesh`, a name, or namespace/name. */
export function checkGatewayNames(place: Place, gateways: readonly string[] | undefined): void {
  for (const [index, gateway] of (gateways ?? []).entries()) {
    const parts = gateway.split('/');
    const valid =
      parts.length === 2
        ? (parts[0] === '.' || isLabel(parts[0] ?? '')) && isGatewayName(parts[1] ?? '')
        : parts.length === 1 && isGatewayName(gateway);
    if (!valid) {
      place.at(index).invalid(gateway, 'not the name of a gateway', 'Use mesh, a name, or namespace/name.');
    }
  }
}

function isGatewayName(name: string): boolean {
  return name !== '' && name.split('.').every(isLabel);
}

export function checkPortNumber(place: Place, port: number | undefined): void {
  if (port !== undefined && !isPort(port)) {
    place.invalid(port, 'port must be between 1-65535', 'Use the number of a port.');
  }
}

export function checkPercent(place: Place, percent: number | undefined): void {
  if (percent !== undefined && !(percent >= 0 && percent <= 100)) {
    place.invalid(percent, 'not a percentage', 'Use a number from 0 to 100.');
  }
}

export function checkNotNegative(place: Place, value: number | undefined): void {
  if (value !== undefined && value < 0) {
    place.invalid(value, 'must not be negative', 'Use 0 or more.');
  }
}

const unixPrefix = 'unix://';

export function isUnixAddress(address: string): boolean {
  return address.startsWith(unixPrefix);
}

/** `unix://` and an absolute path, or `@` and the name of an abstract socket. */
export function checkUnixAddress(place: Place, address: string): void {
  const path = address.slice(unixPrefix.length);
  if (!path.startsWith('/') && !path.startsWith('@')) {
    place.invalid(
      address,
      'UDS must be an absolute path or abstract socket',
      'Write unix:///path/to/socket or unix://@name.',
    );
  }
  if (path.endsWith('/')) {
    place.invalid(address, 'UDS may not be a dir', 'Name the socket, not its folder.');
  }
}

/** `workloadSelector.labels`: exact labels. */
export function checkWorkloadLabels(place: Place, labels: Readonly<Record<string, string>> | undefined): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (key.includes('*') || value.includes('*')) {
      place.at(key).invalid(value, 'wildcard is not supported in selector', 'Write key and value in full.');
    } else {
      checkLabels(place, { [key]: value });
    }
  }
}

export function warnOfDuplicates(place: Place, items: readonly string[], fix: string): void {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if (seen.has(item)) {
      place.at(index).duplicate(item, fix);
    }
    seen.add(item);
  }
}
