// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsafe = /[\u0000-\u001f\u007f-\u009f"\\\u2028\u2029]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsafeAll = /[\u0000-\u001f\u007f-\u009f"\\\u2028\u2029]/g;

/** A value cannot end a line or a quoted field: `"` becomes `\"`, control characters `\xNN` or `\uNNNN`. */
export function escapeText(text: string): string {
  if (!unsafe.test(text)) {
    return text;
  }
  return text.replace(unsafeAll, (character) => {
    if (character === '"' || character === '\\') {
      return `\\${character}`;
    }
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}
