/** Leaves out what could not be converted (a problem was added for each). */
export function present<T>(items: readonly (T | undefined)[]): T[] {
  return items.filter((item) => item !== undefined);
}
