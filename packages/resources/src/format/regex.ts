import { RE2JS } from 're2js';
import type { Place } from '../place.ts';

/** Longest regular expression that is accepted, in characters. */
export const regexLengthMax = 1024;
/** Most instructions that a compiled regular expression may have: what a match costs per byte grows with them. */
export const regexProgramSizeMax = 2000;

/** Why `pattern` cannot be matched in linear time; undefined when it can (RE2 syntax). */
export function regexProblem(pattern: string): string | undefined {
  if (pattern.length > regexLengthMax) {
    return `it has ${pattern.length} characters, at most ${regexLengthMax} are allowed`;
  }
  try {
    const size = RE2JS.compile(pattern).programSize();
    return size > regexProgramSizeMax
      ? `it compiles to ${size} instructions, at most ${regexProgramSizeMax} are allowed`
      : undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message.replace(/^error parsing regexp: /, '') : String(thrown);
  }
}

/** Whether `pattern` is a regular expression that RE2 accepts, within Weft's limits. */
export function isLinearRegex(pattern: string): boolean {
  return regexProblem(pattern) === undefined;
}

/** Reports what is no regular expression of RE2. */
export function checkRegex(place: Place, pattern: string): void {
  const problem = regexProblem(pattern);
  if (problem !== undefined) {
    place.invalid(
      pattern,
      `not a regular expression that can be matched in linear time: ${problem}`,
      'Use RE2 syntax: no look-around, no back references, repetitions of at most 1000.',
    );
  }
}
