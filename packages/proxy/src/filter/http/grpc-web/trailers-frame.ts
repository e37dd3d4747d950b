import type { HeadFields } from '@weft/http-codec';

/** The flag of a frame that holds trailers, not compressed (PROTOCOL-WEB, "Message framing"). */
const trailersFlag = 0x80;
const prefixBytes = 5;

/** Trailers as the last frame of a gRPC-Web body: names in lower case, a line for each field. */
export function trailersFrame(trailers: HeadFields): Buffer {
  let text = '';
  trailers.forEach((name, value) => {
    text += `${name.toLowerCase()}: ${value}\r\n`;
  });
  const frame = Buffer.allocUnsafe(prefixBytes + text.length);
  frame[0] = trailersFlag;
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, prefixBytes, 'latin1');
  return frame;
}
