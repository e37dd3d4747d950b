import type { IncomingMessage } from 'node:http';
import { badRequest, tooLarge } from '../registry/status-error.ts';

/** A client that goes on sending this many times what is allowed is cut off. */
const patience = 8;

/**
 * The whole body. What comes after the limit is read past and dropped, so that the client sees the answer.
 * @throws StatusError 413 as soon as it is known to be over `maxBytes`, before anything is parsed.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  return new Promise((resolve, reject) => {
    if (declared > maxBytes) {
      reject(tooLarge(maxBytes));
    }
    let chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes && declared <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks = [];
      reject(tooLarge(maxBytes));
      if (size > maxBytes * patience) {
        request.destroy();
      }
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', (error) => reject(badRequest(`the body could not be read: ${error.message}`)));
  });
}
