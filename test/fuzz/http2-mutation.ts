/** Bytes of real conversations, spoilt: whole frames and single bytes are changed, doubled, moved, dropped and made up. */

interface RawFrame {
  readonly header: Buffer;
  readonly payload: Buffer;
}

function split(bytes: Buffer, from: number): RawFrame[] {
  const frames: RawFrame[] = [];
  for (let at = from; at + 9 <= bytes.length; ) {
    const end = Math.min(bytes.length, at + 9 + bytes.readUIntBE(at, 3));
    frames.push({ header: Buffer.from(bytes.subarray(at, at + 9)), payload: Buffer.from(bytes.subarray(at + 9, end)) });
    at = end;
  }
  return frames;
}

function below(random: () => number, bound: number): number {
  return Math.floor(random() * bound);
}

function interestingLength(random: () => number): number {
  const lengths = [0, 1, 4, 5, 6, 7, 8, 9, 255, 256, 16_383, 16_384, 16_385, 0xff_ffff];
  return lengths[below(random, lengths.length)] ?? 0;
}

function interestingUint32(random: () => number): number {
  const values = [0, 1, 2, 3, 5, 100, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
  return values[below(random, values.length)] ?? 0;
}

function madeUp(random: () => number): RawFrame {
  const payload = Buffer.alloc(random() < 0.2 ? below(random, 300) : below(random, 12));
  for (let at = 0; at < payload.length; at += 1) {
    payload[at] = random() < 0.5 ? 0 : below(random, 256);
  }
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = random() < 0.9 ? below(random, 10) : below(random, 256);
  header[4] = random() < 0.5 ? ([0, 1, 4, 5, 8, 9, 0x20, 0x2d][below(random, 8)] ?? 0) : below(random, 256);
  header.writeUInt32BE(random() < 0.5 ? below(random, 20) : interestingUint32(random), 5);
  if (payload.length >= 4 && random() < 0.5) {
    payload.writeUInt32BE(interestingUint32(random), 0);
  }
  return { header, payload };
}

function mutate(random: () => number, frames: RawFrame[]): void {
  const at = below(random, frames.length);
  const frame = frames[at];
  if (frame === undefined) {
    frames.push(madeUp(random));
    return;
  }
  switch (below(random, 9)) {
    case 0:
      frames.splice(at, 1);
      break;
    case 1:
      frames.splice(below(random, frames.length), 0, frame);
      break;
    case 2: {
      const other = below(random, frames.length);
      frames[at] = frames[other] ?? frame;
      frames[other] = frame;
      break;
    }
    case 3:
      frame.header[3] = below(random, 12);
      break;
    case 4:
      frame.header[4] = (frame.header[4] ?? 0) ^ (1 << below(random, 8));
      break;
    case 5:
      frame.header.writeUInt32BE(random() < 0.7 ? below(random, 30) : interestingUint32(random), 5);
      break;
    case 6:
      frame.header.writeUIntBE(
        random() < 0.5 ? interestingLength(random) : frame.payload.length + below(random, 5),
        0,
        3,
      );
      break;
    case 7:
      if (frame.payload.length > 0) {
        frame.payload[below(random, frame.payload.length)] = below(random, 256);
      }
      break;
    default: {
      const made = madeUp(random);
      for (let times = random() < 0.1 ? 1200 : 1; times > 0; times -= 1) {
        frames.splice(at, 0, made);
      }
    }
  }
}

/** @param from bytes before it (a preface) stay as they are, mostly. */
export function spoilt(random: () => number, bytes: Buffer, from: number): Buffer {
  const frames = split(bytes, from);
  // Mostly the first frames stay, so that something is reached.
  for (let count = below(random, 6); count > 0; count -= 1) {
    mutate(random, frames);
  }
  const parts = frames.flatMap(({ header, payload }) => [header, payload]);
  const whole = Buffer.concat([bytes.subarray(0, from), ...parts]);
  if (random() < 0.05 && whole.length > 0) {
    whole[below(random, whole.length)] = below(random, 256);
  }
  return random() < 0.1 ? whole.subarray(0, below(random, whole.length + 1)) : whole;
}
