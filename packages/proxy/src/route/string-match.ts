import type { StringMatch } from '../runtime-config/config.ts';

/** `envoy.type.matcher.v3.StringMatcher` */
export function matchesString(match: StringMatch, text: string): boolean {
  if (match.kind === 'regex') {
    return match.regex.test(text);
  }
  const value = match.ignoreCase ? match.value.toLowerCase() : match.value;
  const subject = match.ignoreCase ? text.toLowerCase() : text;
  switch (match.kind) {
    case 'exact':
      return subject === value;
    case 'prefix':
      return subject.startsWith(value);
    case 'suffix':
      return subject.endsWith(value);
    default:
      return subject.includes(value);
  }
}
