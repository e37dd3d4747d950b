import type { LinearRegex } from '../config.ts';
import type { RegexMatchAndSubstitute } from '../wire/matcher-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { checkSubstitution, regexFromXds } from './regex.ts';

export type RegexRewrite = { readonly regex: LinearRegex; readonly substitution: string };

/** `envoy.type.matcher.v3.RegexMatchAndSubstitute`; undefined when there is none, or none that is valid. */
export function regexRewriteFromXds(
  rewrite: Decoded<typeof RegexMatchAndSubstitute> | undefined,
  field: string,
  problems: Problems,
): RegexRewrite | undefined {
  if (rewrite === undefined) {
    return undefined;
  }
  return problems.within(field, () => {
    const source = rewrite.pattern?.regex ?? '';
    const regex = problems.within('pattern', () => regexFromXds(source, problems));
    if (/[\0\r\n]/.test(rewrite.substitution)) {
      problems.add('holds a line break', 'substitution');
    }
    checkSubstitution(source, rewrite.substitution, problems);
    return regex === undefined ? undefined : { regex, substitution: rewrite.substitution };
  });
}
