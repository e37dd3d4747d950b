/** What a condition that holds has returned. */
export type Truthy<T> = Exclude<T, undefined | null | false | 0 | ''>;

/**
 * Waits until `condition` holds, by looking again and again: for what happens in another process and gives no signal.
 * @param options.timeoutMs default 10,000; `options.what` names the wish in the error.
 * @returns the condition's first truthy value.
 * @throws Error when time is up, with the last error that `condition` threw.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  options: { readonly what: string; readonly timeoutMs?: number; readonly intervalMs?: number },
): Promise<Truthy<T>> {
  const deadline = performance.now() + (options.timeoutMs ?? 10_000);
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) {
        return value as Truthy<T>;
      }
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`not in time: ${options.what}`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs ?? 25));
  }
}
