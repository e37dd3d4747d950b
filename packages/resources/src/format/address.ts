import { isIP } from 'node:net';

/** Whether `text` is an IPv4 or IPv6 address, without zone. */
export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/** Whether `text` is `address/prefix length`. */
export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) {
    return false;
  }
  const address = text.slice(0, slash);
  const length = text.slice(slash + 1);
  const version = isIpAddress(address) ? isIP(address) : 0;
  return version !== 0 && /^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= (version === 4 ? 32 : 128);
}
