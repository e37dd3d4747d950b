/** What a client sends first, RFC 9113 §3.4. */
export const http2Preface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Whether a connection's first bytes are HTTP/2. No request of HTTP/1 can begin with all of them. */
export function startsLikeHttp2(bytes: Uint8Array, start: number, end: number): 'yes' | 'no' | 'need-more' {
  const length = Math.min(end - start, http2Preface.length);
  for (let at = 0; at < length; at += 1) {
    if (bytes[start + at] !== http2Preface[at]) {
      return 'no';
    }
  }
  return length === http2Preface.length ? 'yes' : 'need-more';
}
