/** A media type of gRPC-Web, taken apart. */
export interface GrpcWebMediaType {
  /** Bodies are base64 text. */
  readonly text: boolean;
  /** Message format with its `+`, empty when it is not said. */
  readonly format: string;
}

const mediaType = /^application\/grpc-web(-text(?:-base64)?)?(\+[a-z0-9.-]{1,40})?\s*(?:;.*)?$/i;

/** Reads `application/grpc-web[-text][+format]`; undefined when it is something else. */
export function parseGrpcWebType(value: string): GrpcWebMediaType | undefined {
  const match = mediaType.exec(value);
  return match === null ? undefined : { text: match[1] !== undefined, format: (match[2] ?? '').toLowerCase() };
}

/**
 * Whether the client wants base64 text back: it says so in `accept`, or it sent text itself and does not ask for the
 * binary form. (Envoy looks at `accept` only; both is what clients in text mode send.)
 */
export function wantsText(requestIsText: boolean, accept: string | undefined): boolean {
  const types = (accept ?? '').split(',').map((type) => parseGrpcWebType(type.trim()));
  if (types.some((type) => type?.text === true)) {
    return true;
  }
  return requestIsText && !types.some((type) => type !== undefined);
}
