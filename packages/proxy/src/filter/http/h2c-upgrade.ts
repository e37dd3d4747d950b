import {
  type DownstreamCodec,
  KnownHeader,
  type RequestHead,
  type RequestSink,
  type ResponseEncoder,
  readSettingsField,
  releaseResponseHead,
  takeResponseHead,
} from '@weft/http-codec';
import type { HttpConnectionManagerConfig } from '../../runtime-config/config.ts';
import type { DownstreamConnectionInfo } from '../../stream-info.ts';

/**
 * Whether a request that asks for `Upgrade: h2c` (RFC 7540 §3.2) is granted it: on connections without TLS whose listener
 * takes both protocols. A server may ignore the offer (RFC 9110 §7.8), and does so when it is not made as it should be.
 */
export function offersH2c(
  config: HttpConnectionManagerConfig,
  info: DownstreamConnectionInfo,
  head: RequestHead,
): boolean {
  if (config.codec !== 'auto' || info.tls !== undefined || head.minorVersion === 0 || head.method === 'CONNECT') {
    return false;
  }
  const settings = head.indexOfKnown(KnownHeader.http2Settings);
  return (
    settings >= 0 &&
    head.indexOfKnown(KnownHeader.http2Settings, settings + 1) < 0 &&
    readSettingsField(head.valueAt(settings)) !== undefined
  );
}

/** Answers 101 and hands what follows to the codec of HTTP/2. The sink is for the codec of HTTP/1.1, which hears no more than bytes. */
export function acceptH2cUpgrade(encoder: ResponseEncoder, begin: () => DownstreamCodec): RequestSink {
  const switching = takeResponseHead();
  switching.status = 101;
  switching.addClean('upgrade', 'h2c');
  encoder.encodeHead(switching, false);
  releaseResponseHead(switching);
  const codec = begin();
  return {
    onBodyData: (bytes, start, end) => codec.receive(bytes, start, end),
    onBodyEnd: () => codec.receiveEnd(),
    onResponseWritable: () => {},
    onReset: () => {},
  };
}
