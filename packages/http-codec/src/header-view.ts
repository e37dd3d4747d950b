/** Read access to the fields of one message head. */
export interface HeaderView {
  /**
   * The value of a field, several lines joined by `,` in order of arrival.
   * @param name in lower case; pseudo names (`:method`, …) are not fields.
   */
  get(name: string): string | undefined;
  /** Calls `visit` for each field line in wire order, with the name as it came. */
  forEach(visit: (name: string, value: string) => void): void;
}

/** No fields at all. */
export const noHeaders: HeaderView = { get: () => undefined, forEach: () => {} };
