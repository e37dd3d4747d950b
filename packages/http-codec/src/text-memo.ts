/** Longest text that is kept, characters: longer ones seldom come twice. */
const maxKept = 1024;

/** The text of the message before, given again while the bytes stay the same: clients keep to one authority, one user agent. */
export class TextMemo {
  #text = '';

  textOf(bytes: { latin1Slice(start: number, end: number): string } & Uint8Array, start: number, end: number): string {
    const text = this.#text;
    const length = end - start;
    if (text.length === length) {
      let at = 0;
      while (at < length && text.charCodeAt(at) === bytes[start + at]) {
        at += 1;
      }
      if (at === length) {
        return text;
      }
    }
    const fresh = bytes.latin1Slice(start, end);
    if (length <= maxKept) {
      this.#text = fresh;
    }
    return fresh;
  }
}
