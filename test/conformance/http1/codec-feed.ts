import {
  type CodecErrorDetail,
  type DownstreamEvents,
  defaultHttp1Limits,
  Http1DownstreamCodec,
  Http1UpstreamCodec,
  OutputBuffer,
  type RequestHead,
  type RequestSink,
  type ResponseEncoder,
  type ResponseHead,
  type ResponseSink,
  releaseRequestHead,
  releaseResponseHead,
  takeRequestHead,
  takeResponseHead,
  type UpstreamEvents,
} from '@weft/http-codec';

/** What a codec made of some bytes. */
export interface Reading {
  readonly messages: readonly ReadMessage[];
  readonly error: CodecErrorDetail | undefined;
  /** The codec reads nothing further. */
  readonly finished: boolean;
}

export interface ReadMessage {
  readonly start: string;
  readonly fields: readonly string[];
  body: string;
  complete: boolean;
  trailers: readonly string[];
}

function fieldsOf(head: { forEach(visit: (name: string, value: string) => void): void }): string[] {
  const fields: string[] = [];
  head.forEach((name, value) => void fields.push(`${name}: ${value}`));
  return fields;
}

/** The pieces of `bytes` cut at the given positions. */
export function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const all = [0, ...cuts, bytes.length];
  return all.slice(1).map((end, index) => bytes.subarray(all[index] ?? 0, end));
}

/** Feeds pieces to the server's side; every request is answered with an empty 200 as soon as it is complete. */
export function readRequests(parts: readonly Buffer[], ended = false, acceptHttp10 = true): Reading {
  const messages: ReadMessage[] = [];
  let error: CodecErrorDetail | undefined;
  let finished = false;
  const out = new OutputBuffer();
  let busy = false;

  const answer = (encoder: ResponseEncoder): void => {
    busy = false;
    const head = takeResponseHead();
    head.status = 200;
    head.contentLength = 0;
    head.add('content-length', '0');
    encoder.encodeHead(head, true);
    releaseResponseHead(head);
    out.discard();
  };

  const events: DownstreamEvents = {
    onRequest(head: RequestHead, encoder: ResponseEncoder, endStream: boolean): RequestSink {
      const message: ReadMessage = {
        start: `${head.method} ${head.path}`,
        fields: fieldsOf(head),
        body: '',
        complete: endStream,
        trailers: [],
      };
      messages.push(message);
      releaseRequestHead(head);
      busy = true;
      if (endStream) {
        answer(encoder);
      }
      return {
        onBodyData: (bytes, start, end) => {
          message.body += bytes.toString('latin1', start, end);
        },
        onBodyEnd: (trailers) => {
          message.complete = true;
          message.trailers = trailers === undefined ? [] : fieldsOf(trailers);
          answer(encoder);
        },
        onResponseWritable: () => {},
        onReset: () => {},
      };
    },
    onCodecError(detail) {
      error ??= detail;
      finished = true;
    },
    onReadPressure() {},
    onFinished() {
      finished = true;
    },
  };
  const codec = new Http1DownstreamCodec(events, out, defaultHttp1Limits, { acceptHttp10, allowAbsoluteUrl: true });
  for (const part of parts) {
    codec.receive(part, 0, part.length);
    if (!busy) {
      codec.proceed();
    }
  }
  if (ended) {
    codec.receiveEnd();
  }
  return { messages, error, finished };
}

const ignoringUpstream: UpstreamEvents = {
  onReadPressure() {},
  onStreamsAvailable() {},
  onDraining() {},
  onFinished() {},
};

/** Feeds pieces to the client's side, which has asked with `method`. */
export function readResponse(
  parts: readonly Buffer[],
  ended = false,
  method = 'GET',
  upgrade = '',
): Reading & { reusable: boolean } {
  const messages: ReadMessage[] = [];
  let error: CodecErrorDetail | undefined;
  const out = new OutputBuffer();
  const codec = new Http1UpstreamCodec(ignoringUpstream, out, defaultHttp1Limits);
  const record = (head: ResponseHead, complete: boolean): void => {
    messages.push({ start: `${head.status}`, fields: fieldsOf(head), body: '', complete, trailers: [] });
    releaseResponseHead(head);
  };
  const sink: ResponseSink = {
    onInformational: (head) => record(head, true),
    onResponse: (head, endStream) => record(head, endStream),
    onBodyData: (bytes, start, end) => {
      const message = messages.at(-1);
      if (message !== undefined) {
        message.body += bytes.toString('latin1', start, end);
      }
    },
    onBodyEnd: (trailers) => {
      const message = messages.at(-1);
      if (message !== undefined) {
        message.complete = true;
        message.trailers = trailers === undefined ? [] : fieldsOf(trailers);
      }
    },
    onRequestWritable: () => {},
    onResponseError: (detail) => {
      error ??= detail;
    },
  };
  const head = takeRequestHead();
  head.method = method;
  head.path = '/';
  head.upgrade = upgrade;
  head.startLineUsable = false;
  codec.open(sink).encodeRequest(head, true);
  releaseRequestHead(head);
  out.discard();
  for (const part of parts) {
    codec.receive(part, 0, part.length);
  }
  if (ended) {
    codec.receiveEnd();
  }
  return { messages, error, finished: error !== undefined, reusable: codec.availableStreams > 0 };
}
