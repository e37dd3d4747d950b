/** What an address begins with that is the path of a Unix socket. */
export const unixPrefix = 'unix://';

/** Longest path of a Unix socket on Linux, bytes (`sockaddr_un`, without the final zero). */
const maxPathBytes = 107;

export function isUnixAddress(address: string): boolean {
  return address.startsWith(unixPrefix);
}

/** Whether proxies can connect to it. Abstract sockets have no permissions: our proxy refuses them. */
export function isReachableUnixAddress(address: string): boolean {
  const path = address.slice(unixPrefix.length);
  return isUnixAddress(address) && path.startsWith('/') && Buffer.byteLength(path) <= maxPathBytes;
}

/** `127.0.0.1:80`, or `unix://` and the path. */
export function socketText({ address, port }: { readonly address: string; readonly port: number }): string {
  return isUnixAddress(address) ? address : `${address}:${port}`;
}
