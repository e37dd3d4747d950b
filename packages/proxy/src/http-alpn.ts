/** The other end of the connection is a Weft proxy: names of fields travel as they were written, see docs/http2.md. */
export const weftAlpn = 'weft-h2';

const http2Names: ReadonlySet<string> = new Set(['h2', 'istio-h2', weftAlpn]);
const http1Names: ReadonlySet<string> = new Set(['http/1.1', 'http/1.0', 'istio-http/1.1', 'istio-http/1.0']);

/** What an ALPN name says about the protocol above TLS; undefined when it says nothing about HTTP. */
export function httpVersionOfAlpn(name: string): 'http1' | 'http2' | undefined {
  if (http2Names.has(name)) {
    return 'http2';
  }
  return http1Names.has(name) ? 'http1' : undefined;
}
