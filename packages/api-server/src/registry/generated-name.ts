/** Longest beginning that is kept of `generateName`: with the suffix the name is a DNS label still. */
const maxPrefixLength = 58;
/** Letters and digits that make no words and are not mistaken for each other. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A name that begins with `prefix` and ends with five random characters. @param random uniform in [0, 1). */
export function generatedName(prefix: string, random: () => number): string {
  const suffix = Array.from({ length: 5 }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
  return `${prefix.slice(0, maxPrefixLength)}${suffix}`;
}
