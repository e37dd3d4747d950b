import { decimal, int32, list, map, object, text, uint32 } from '../../schema/fields.ts';

/** Pieces that the schemas of VirtualService's HTTP, TLS and TCP routes share. */

const durationHint = 'Written as 1h30m, 5s or 250ms; at least 1ms.';

export function duration(description: string) {
  return text(`${description} ${durationHint}`);
}

export function stringMatch(description: string) {
  return object(`${description} One of exact, prefix and regex.`, {
    exact: text('The whole value, in the same case.'),
    prefix: text('The beginning of the value, in the same case.'),
    regex: text('A regular expression (RE2 syntax) that the whole value matches.'),
  });
}

export function destination(description: string) {
  return object(
    description,
    {
      host: text('Name of the service; a short name is completed with the namespace of this object.'),
      subset: text('Name of a subset that a DestinationRule of the host defines.'),
      port: object('Port of the service; needed where the service has several.', {
        number: uint32('Number of the port.'),
      }),
    },
    ['host'],
  );
}

export function percentage(description: string) {
  return object(description, { value: decimal('Percent, from 0 to 100; fractions are allowed.') });
}

export function headerEdits(description: string) {
  const edits = (of: string) =>
    object(`Edits of the header fields of the ${of}.`, {
      set: map('Fields that get this value, whatever they had.', text('The value.')),
      add: map('Fields that get this value in addition.', text('The value.')),
      remove: list('Fields that are taken away.', text('Name of the field.')),
    });
  return object(description, { request: edits('request'), response: edits('response') });
}

/** What every sort of match can ask for. */
export function matchSource() {
  return {
    port: uint32('Port that the client connects to.'),
    sourceLabels: map('Labels that the calling workload must have.', text('Value of the label.')),
    sourceNamespace: text('Namespace that the calling workload must be in.'),
    gateways: list('Gateways for which the match counts; `mesh` is all sidecars.', text('Name, or namespace/name.')),
  };
}

/** A destination with a weight, as TLS and TCP routes have it. */
export function weightedDestination() {
  return object(
    'One destination and its share.',
    {
      destination: destination('Where to send.'),
      weight: weight(),
    },
    ['destination'],
  );
}

/** Share of a destination; shares are relative to their sum. */
export function weight() {
  return int32(
    'Share of the connections or requests, relative to the sum of all. A single destination gets everything.',
  );
}
