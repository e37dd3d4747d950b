import assert from 'node:assert/strict';
import { type Frame, Type } from '../../../packages/http-codec/test/hand-made-frames.ts';

/** A client of the server under test that sends raw bytes and sees frames. */
export abstract class Http2Peer {
  readonly frames: Frame[] = [];
  closed = false;
  #check: () => void = () => {};

  abstract send(...bytes: readonly Buffer[]): void;
  abstract end(): void;

  protected received(frames: readonly Frame[]): void {
    this.frames.push(...frames);
    this.#check();
  }

  protected ended(): void {
    this.closed = true;
    this.#check();
  }

  /** Waits until `holds`; fails with what was seen when the connection ends without it, or nothing comes for 5 s. */
  async until(what: string, holds: () => boolean): Promise<void> {
    if (holds()) {
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        this.#check = () => {};
        if (error === undefined) {
          resolve();
        } else {
          reject(error);
        }
      };
      const failure = (why: string): Error => new assert.AssertionError({ message: `${what}: ${why}; ${this.seen()}` });
      const timer = setTimeout(() => finish(failure('did not come')), 5000);
      this.#check = () => {
        if (holds()) {
          finish();
        } else if (this.closed) {
          finish(failure('the connection ended'));
        }
      };
      this.#check();
    });
  }

  find(type: number, streamId: number): Frame | undefined {
    return this.frames.find((frame) => frame.type === type && frame.streamId === streamId);
  }

  /** Bytes of DATA that came on a stream. */
  dataLength(streamId: number): number {
    return this.frames
      .filter((frame) => frame.type === Type.data && frame.streamId === streamId)
      .reduce((sum, frame) => sum + frame.payload.length, 0);
  }

  seen(): string {
    const list = this.frames.map(({ type, flags, streamId, payload }) => {
      const more = type === Type.goaway ? ` ${payload.readUInt32BE(4)} ${payload.toString('latin1', 8)}` : '';
      const code = type === Type.rstStream ? ` ${payload.readUInt32BE(0)}` : more;
      return `${Object.keys(Type)[type] ?? type}(${streamId}, flags ${flags}, ${payload.length})${code}`;
    });
    return `seen: ${list.join(', ')}${this.closed ? ', end' : ''}`;
  }
}
