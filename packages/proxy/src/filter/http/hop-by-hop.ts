import { type HeadFields, KnownHeader, type RequestHead } from '@weft/http-codec';

/**
 * Removes what belongs to the connection that a request came by (RFC 9110 §7.6.1). Fields that Connection nominated were
 * removed by the codec. `transfer-encoding` is the codec's affair too.
 */
export function removeRequestHopByHop(head: RequestHead): void {
  const count = head.count;
  for (let index = 0; index < count; index += 1) {
    const id = head.idAt(index);
    if (id === KnownHeader.unknown || id > KnownHeader.lastFraming || head.isRemoved(index)) {
      continue;
    }
    switch (id) {
      case KnownHeader.connection:
      case KnownHeader.keepAlive:
      case KnownHeader.proxyConnection:
      case KnownHeader.http2Settings:
        head.removeAt(index);
        break;
      case KnownHeader.upgrade:
        if (head.upgrade === '') {
          head.removeAt(index);
        }
        break;
      case KnownHeader.te:
        if (head.teTrailers) {
          head.replaceAt(index, 'trailers');
        } else {
          head.removeAt(index);
        }
        break;
      default:
    }
  }
  if (head.upgrade !== '') {
    head.addClean('connection', 'upgrade');
  }
}

export function removeResponseHopByHop(head: HeadFields, keepUpgrade: boolean): void {
  const count = head.count;
  for (let index = 0; index < count; index += 1) {
    const id = head.idAt(index);
    if (id === KnownHeader.unknown || id > KnownHeader.lastFraming) {
      continue;
    }
    if (
      id === KnownHeader.connection ||
      id === KnownHeader.keepAlive ||
      id === KnownHeader.proxyConnection ||
      (id === KnownHeader.upgrade && !keepUpgrade)
    ) {
      head.removeAt(index);
    }
  }
}
