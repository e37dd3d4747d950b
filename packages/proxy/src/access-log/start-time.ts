/** A compiled `%START_TIME(…)%` format. */
export type TimeFormat = (epochMs: number) => string;

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

const specifiers: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => pad(date.getUTCFullYear() % 100, 2),
  m: (date) => pad(date.getUTCMonth() + 1, 2),
  d: (date) => pad(date.getUTCDate(), 2),
  e: (date) => String(date.getUTCDate()).padStart(2, ' '),
  H: (date) => pad(date.getUTCHours(), 2),
  M: (date) => pad(date.getUTCMinutes(), 2),
  S: (date) => pad(date.getUTCSeconds(), 2),
  T: (date) => date.toISOString().slice(11, 19),
  F: (date) => date.toISOString().slice(0, 10),
  a: (date) => days[date.getUTCDay()] ?? '',
  b: (date) => months[date.getUTCMonth()] ?? '',
  Z: () => 'UTC',
  z: () => '+0000',
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  '%': () => '%',
};

/**
 * Compiles Envoy's time formats, which are those of `strftime` in UTC with `%f` for the fraction of the second (nine digits;
 * `%3f` and the like shorten it). Returns the reason as text when a specifier is not known.
 */
export function compileTimeFormat(format: string): TimeFormat | string {
  if (format === '') {
    return memo((epochMs) => new Date(epochMs).toISOString());
  }
  const parts: ((date: Date) => string)[] = [];
  for (const match of format.matchAll(/%([1-9]?)(.)|[^%]+|%$/gs)) {
    const [whole, width = '', letter] = match;
    if (letter === undefined) {
      if (whole === '%') {
        return 'the time format ends in %';
      }
      parts.push(() => whole);
    } else if (letter === 'f') {
      const digits = width === '' ? 9 : Number(width);
      parts.push((date) => `${pad(date.getUTCMilliseconds(), 3)}000000`.slice(0, digits));
    } else {
      const specifier = width === '' ? specifiers[letter] : undefined;
      if (specifier === undefined) {
        return `the time format has ${JSON.stringify(whole)}, which is not supported`;
      }
      parts.push(specifier);
    }
  }
  return memo((epochMs) => {
    const date = new Date(epochMs);
    let text = '';
    for (const part of parts) {
      text += part(date);
    }
    return text;
  });
}

/** Many requests end within one millisecond. */
function memo(format: TimeFormat): TimeFormat {
  let lastMs = Number.NaN;
  let last = '';
  return (epochMs) => {
    if (epochMs !== lastMs) {
      last = format(epochMs);
      lastMs = epochMs;
    }
    return last;
  };
}
