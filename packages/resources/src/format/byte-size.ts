const units: Readonly<Record<string, number>> = { Ki: 1, Mi: 1024, Gi: 1024 * 1024 };

/** A whole number of KiB, MiB or GiB as Kubernetes writes it: `64Ki`, `1Mi`. */
export const kibibytesPattern: RegExp = /^([1-9]\d{0,6})(Ki|Mi|Gi)$/;

/** KiB of a text of {@link kibibytesPattern}; undefined for anything else. */
export function parseKibibytes(text: string): number | undefined {
  const [, count, unit = ''] = kibibytesPattern.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * (units[unit] ?? Number.NaN);
}
