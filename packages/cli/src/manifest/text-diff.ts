/** One line of a comparison. */
interface Edit {
  readonly kind: ' ' | '-' | '+';
  readonly text: string;
}

const contextLines = 3;
/** Above this many cells of the table the texts are shown as wholly replaced; objects are far below. */
const maxCells = 25_000_000;

/**
 * The unified difference of two texts, or an empty string when they are equal.
 * @param names what the two sides are called in the head.
 */
export function unifiedDiff(before: string, after: string, names: readonly [string, string]): string {
  if (before === after) {
    return '';
  }
  const edits = compare(linesOf(before), linesOf(after));
  const head = `--- ${names[0]}\n+++ ${names[1]}\n`;
  return head + hunks(edits);
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** Longest common subsequence, by the table. */
function compare(a: readonly string[], b: readonly string[]): Edit[] {
  if ((a.length + 1) * (b.length + 1) > maxCells) {
    return [...a.map((text): Edit => ({ kind: '-', text })), ...b.map((text): Edit => ({ kind: '+', text }))];
  }
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
    }
  }
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      edits.push({ kind: ' ', text: a[i] ?? '' });
      i += 1;
      j += 1;
    } else if (
      i < a.length &&
      (j >= b.length || (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0))
    ) {
      edits.push({ kind: '-', text: a[i] ?? '' });
      i += 1;
    } else {
      edits.push({ kind: '+', text: b[j] ?? '' });
      j += 1;
    }
  }
  return edits;
}

function hunks(edits: readonly Edit[]): string {
  const near = edits.map((_, index) =>
    edits.slice(Math.max(0, index - contextLines), index + contextLines + 1).some((edit) => edit.kind !== ' '),
  );
  let text = '';
  let oldLine = 1;
  let newLine = 1;
  for (let index = 0; index < edits.length; ) {
    if (near[index] !== true) {
      oldLine += 1;
      newLine += 1;
      index += 1;
      continue;
    }
    let end = index;
    while (end < edits.length && near[end] === true) {
      end += 1;
    }
    const part = edits.slice(index, end);
    const oldCount = part.filter((edit) => edit.kind !== '+').length;
    const newCount = part.filter((edit) => edit.kind !== '-').length;
    text += `@@ -${oldCount === 0 ? oldLine - 1 : oldLine},${oldCount} +${newCount === 0 ? newLine - 1 : newLine},${newCount} @@\n`;
    text += part.map((edit) => `${edit.kind}${edit.text}\n`).join('');
    oldLine += oldCount;
    newLine += newCount;
    index = end;
  }
  return text;
}
