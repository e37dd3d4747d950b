import { KnownHeader } from '../known-header.ts';
import type { OutputBuffer } from '../output-buffer.ts';
import type { RequestHead } from '../request-head.ts';
import type { ResponseHead } from '../response-head.ts';

/** Writes a request head for an HTTP/1.1 upstream. `chunked` says how the body will be framed. */
export function writeRequestHead(head: RequestHead, chunked: boolean, out: OutputBuffer): void {
  if (head.startLineUsable && head.minorVersion === 1) {
    out.copy(head.bytes, 0, head.fieldsStart);
  } else {
    const target = head.method === 'CONNECT' ? head.authority : head.path;
    out.latin1(`${head.method} ${target} HTTP/1.1\r\n`);
  }
  if (chunked !== head.chunked) {
    if (chunked) {
      head.addClean('transfer-encoding', 'chunked');
    } else {
      head.removeKnown(KnownHeader.transferEncoding, 'transfer-encoding');
    }
  }
  head.writeFields(out);
  out.latin1('\r\n');
}

const statusLines = new Map<number, string>();

/** Reason phrases for responses that we make ourselves. */
const reasons: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** The reason phrase that goes with a status, empty when none is registered here. */
export function reasonOf(status: number): string {
  return reasons[status] ?? '';
}

function statusLine(status: number, reason: string): string {
  if (reason !== '' && reason !== reasons[status]) {
    return `HTTP/1.1 ${status} ${reason}\r\n`;
  }
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}

/** Writes a response head. `framing` are complete field lines that the codec adds. */
export function writeResponseHead(head: ResponseHead, framing: string, out: OutputBuffer): void {
  if (head.fieldsStart > 0 && head.minorVersion === 1) {
    out.copy(head.bytes, 0, head.fieldsStart);
  } else {
    out.latin1(statusLine(head.status, head.reason));
  }
  head.writeFields(out);
  out.latin1(framing);
}

/** Writes one piece of a chunked body. */
export function writeChunk(bytes: Buffer, start: number, end: number, out: OutputBuffer): void {
  out.latin1(`${(end - start).toString(16)}\r\n`);
  out.copy(bytes, start, end);
  out.latin1('\r\n');
}
