import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';
import type { LinearRegex } from '../config.ts';
import type { Problems } from '../wire/problems.ts';

/** Longest pattern, characters. */
const MAX_REGEX_LENGTH = 2048;
/** Largest compiled program, instructions: what one match costs per character. */
const MAX_REGEX_PROGRAM_SIZE = 1000;

/** Compiled regexes by source, shared between resources; emptied when it gets large, since configuration changes. */
const compiled = new Map<string, LinearRegex>();
const MAX_COMPILED = 512;

let engineClass: typeof RE2JS | undefined;

/**
 * The engine, loaded with the first expression: most proxies never see one, and its tables take more than a megabyte. `require`
 * exists in the bundle, where it is resolved at build time; from source it has to be made.
 */
function regexEngine(): typeof RE2JS {
  if (engineClass === undefined) {
    const module: typeof import('re2js') =
      typeof require === 'function' ? require('re2js') : createRequire(import.meta.url)('re2js');
    engineClass = module.RE2JS;
  }
  return engineClass;
}

/** RE2 syntax, matched in linear time (no backtracking). Undefined when refused; the problem says why. */
export function regexFromXds(pattern: string, problems: Problems): LinearRegex | undefined {
  const known = compiled.get(pattern);
  if (known !== undefined) {
    return known;
  }
  if (pattern === '') {
    problems.add('the regular expression is empty', 'regex');
    return undefined;
  }
  if (pattern.length > MAX_REGEX_LENGTH) {
    problems.add(`the regular expression is longer than ${MAX_REGEX_LENGTH} characters`, 'regex');
    return undefined;
  }
  let engine: RE2JS;
  try {
    engine = regexEngine().compile(pattern);
  } catch (thrown) {
    problems.add(`not a valid RE2 expression: ${thrown instanceof Error ? thrown.message : String(thrown)}`, 'regex');
    return undefined;
  }
  if (engine.programSize() > MAX_REGEX_PROGRAM_SIZE) {
    problems.add(
      `the regular expression compiles to ${engine.programSize()} instructions, more than ${MAX_REGEX_PROGRAM_SIZE}`,
      'regex',
    );
    return undefined;
  }
  const regex: LinearRegex = {
    source: pattern,
    test: (text) => engine.testExact(text),
    replaceAll: (text, substitution) => engine.matcher(text).replaceAll(javaReplacement(substitution)),
  };
  if (compiled.size >= MAX_COMPILED) {
    compiled.clear();
  }
  compiled.set(pattern, regex);
  return regex;
}

/** Envoy writes groups as `\1` and a backslash as `\\`; the engine writes them `$1` and `$$`. */
function javaReplacement(substitution: string): string {
  return substitution.replaceAll(/\\(\\|\d)|\$/g, (whole, escaped: string | undefined) =>
    whole === '$' ? '$$' : escaped === '\\' ? '\\' : `$${escaped}`,
  );
}

/** How many groups a substitution may name: the number in the pattern. Adds a problem when it names another one. */
export function checkSubstitution(pattern: string, substitution: string, problems: Problems): void {
  const groups = countGroups(pattern);
  for (const match of substitution.matchAll(/\\(\\|\d|$|.)/g)) {
    const escaped = match[1] ?? '';
    if (escaped === '\\') {
      continue;
    }
    if (!/^\d$/.test(escaped)) {
      problems.add('a backslash must be followed by a digit or a backslash', 'substitution');
    } else if (Number(escaped) > groups) {
      problems.add(`group ${escaped} is not in the pattern, which has ${groups}`, 'substitution');
    }
  }
}

function countGroups(pattern: string): number {
  try {
    return regexEngine().compile(pattern).groupCount();
  } catch {
    return 0;
  }
}
