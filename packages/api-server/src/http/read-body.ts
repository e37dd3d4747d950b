import type { IncomingMessage } from 'node:http';
import { badRequest, tooLarge } from '../registry/status-error.ts';

/** The whole body. @throws StatusError 413 as soon as it is known to be over `maxBytes`, before anything is parsed. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) {
    return Promise.reject(tooLarge(maxBytes));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        request.pause();
        reject(tooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', (error) => reject(badRequest(`the body could not be read: ${error.message}`)));
  });
}
