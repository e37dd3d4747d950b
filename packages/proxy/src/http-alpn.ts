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

/** Whether a connection that is for this carries HTTP/2. @param alpn what its TLS agreed on; undefined: there is no TLS, or no agreement. */
export function speaksHttp2(use: 'http1' | 'http2' | 'auto', alpn: string | undefined): boolean {
  return use === 'auto' ? httpVersionOfAlpn(alpn ?? '') === 'http2' : use === 'http2';
}
