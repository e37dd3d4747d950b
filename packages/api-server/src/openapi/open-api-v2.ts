/** How clients of Go ask for OpenAPI 2.0. */
const askedType = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
/** What the answer then says: `@` is no character of a media type (RFC 9110 §5.6.2). */
const answeredType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/**
 * `/openapi/v2`: a document without definitions. `kubectl` asks for it only to check a `List` on its own side, and lets pass what it
 * does not find there; the server then checks each object. Everything that is to be known stands in OpenAPI v3.
 */
export function openApiV2(accept: string, version: string): { readonly contentType: string; readonly body: Buffer } {
  const title = 'Weft';
  if (accept.includes(askedType)) {
    // openapi.v2.Document of github.com/google/gnostic: 1 swagger, 2 info (1 title, 2 version), 8 paths.
    const info = Buffer.concat([lengthDelimited(1, title), lengthDelimited(2, version.slice(0, 64))]);
    const parts = [lengthDelimited(1, '2.0'), lengthDelimited(2, info), lengthDelimited(8, '')];
    return { contentType: answeredType, body: Buffer.concat(parts) };
  }
  const document = { swagger: '2.0', info: { title, version }, paths: {} };
  return { contentType: 'application/json', body: Buffer.from(JSON.stringify(document)) };
}

/** @param content shorter than 128 bytes, so that its length is one byte. */
function lengthDelimited(field: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.of((field << 3) | 2, bytes.length), bytes]);
}
