import { RE2JS } from 're2js';
import type { Place } from '../place.ts';

/** Longest regular expression that is accepted, in characters. */
export const regexLengthMax = 1024;
/** Most instructions that a compiled regular expression may have: what a match costs per byte grows with them. The proxy refuses more than 1000. */
const regexProgramSizeMax = 900;

/** Most instructions that the regular expressions of one object may have together: compiling them takes time. */
const regexTotalSizeMax = 100_000;

/** Instructions of the compiled expression, or why there is none. */
function compile(pattern: string): { readonly size: number; readonly problem?: string } {
  if (pattern.length > regexLengthMax) {
    return { size: 0, problem: `it has ${pattern.length} characters, at most ${regexLengthMax} are allowed` };
  }
  try {
    const size = RE2JS.compile(pattern).programSize();
    return size > regexProgramSizeMax
      ? { size, problem: `it compiles to ${size} instructions, at most ${regexProgramSizeMax} are allowed` }
      : { size };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return { size: pattern.length, problem: message.replace(/^error parsing regexp: /, '') };
  }
}

/** Why `pattern` cannot be matched in linear time; undefined when it can (RE2 syntax). */
export function regexProblem(pattern: string): string | undefined {
  return compile(pattern).problem;
}

/** Whether `pattern` is a regular expression that RE2 accepts, within Weft's limits. */
export function isLinearRegex(pattern: string): boolean {
  return regexProblem(pattern) === undefined;
}

/** Whether the whole of `text` is what `pattern` (RE2 syntax) stands for; false when the pattern is no regular expression. */
export function matchesWhole(pattern: string, text: string): boolean {
  try {
    return RE2JS.compile(pattern).testExact(text);
  } catch {
    return false;
  }
}

/** Reports what is no regular expression of RE2; stops looking when those of one object are too many. */
export function checkRegex(place: Place, pattern: string): void {
  if (place.spend('regex', 0) > regexTotalSizeMax) {
    return;
  }
  const { size, problem } = compile(pattern);
  if (problem !== undefined) {
    place.invalid(
      pattern,
      `not a regular expression that can be matched in linear time: ${problem}`,
      'Use RE2 syntax: no look-around, no back references, repetitions of at most 1000.',
    );
  }
  if (place.spend('regex', size) > regexTotalSizeMax) {
    place.report(
      'TooLarge',
      `the regular expressions up to here compile to more than ${regexTotalSizeMax} instructions`,
      'Use fewer of them, or exact and prefix matches.',
    );
  }
}
