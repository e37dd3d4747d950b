/** Emphasis by meaning, not by colour name, so that a plain terminal loses nothing but the colour. */
export interface Style {
  strong(text: string): string;
  faint(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
}

const plain = (text: string): string => text;
const ansi = (code: number, end: number) => (text: string) => `\u001b[${code}m${text}\u001b[${end}m`;

/** @param colour false gives text without any escape sequence. */
export function createStyle(colour: boolean): Style {
  return colour
    ? { strong: ansi(1, 22), faint: ansi(2, 22), good: ansi(32, 39), warn: ansi(33, 39), bad: ansi(31, 39) }
    : { strong: plain, faint: plain, good: plain, warn: plain, bad: plain };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are control characters
const escapeSequence = /\u001b\[[0-9;]*m/g;

/** How many columns `text` takes on a screen: escape sequences take none, East Asian wide letters and emoji two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const letter of text.replace(escapeSequence, '')) {
    width += columnsOf(letter.codePointAt(0) ?? 0);
  }
  return width;
}

function columnsOf(code: number): number {
  if (code < 0x20 || (code >= 0x300 && code <= 0x36f) || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f)) {
    return 0;
  }
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff);
  return wide ? 2 : 1;
}

/**
 * Makes text from outside safe to print: control characters (a log line could clear the screen) become visible.
 * Newlines stay when `keepNewlines`.
 */
export function printable(text: string, keepNewlines = false): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (letter) =>
    keepNewlines && letter === '\n' ? letter : `\\x${(letter.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  );
}
