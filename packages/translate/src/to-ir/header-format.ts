/** Commands of Envoy's format that both engines know in header values. */
const commands: ReadonlySet<string> = new Set([
  'DOWNSTREAM_LOCAL_ADDRESS',
  'DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT',
  'DOWNSTREAM_REMOTE_ADDRESS',
  'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT',
  'PROTOCOL',
  'REQ',
  'REQUESTED_SERVER_NAME',
  'RESPONSE_CODE',
  'ROUTE_NAME',
  'START_TIME',
  'UPSTREAM_CLUSTER',
  'UPSTREAM_HOST',
]);

const piece = /%%|%([A-Z_0-9]+)(?:\([^()%]*\))?(?::\d+)?%|%/g;

/**
 * A header value as the proxies take it: known `%COMMAND%`s stay, any other percent sign is doubled so that it means itself. A
 * value that the proxy cannot parse would make it refuse the whole route configuration.
 */
export function headerFormat(value: string): string {
  return value.replace(piece, (text: string, command: string | undefined) => {
    if (text === '%%' || (command !== undefined && commands.has(command))) {
      return text;
    }
    return text.replaceAll('%', '%%');
  });
}

/** Whether {@link headerFormat} takes every command in `value` as one. */
export function headerFormatSupported(value: string): boolean {
  return [...value.matchAll(piece)].every(([, command]) => command === undefined || commands.has(command));
}
