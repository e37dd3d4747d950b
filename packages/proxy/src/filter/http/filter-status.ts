/** What a filter answers, synchronously. */
export const FilterStatus = {
  /** On to the next one. */
  continue: 0,
  /** The filter goes on by itself later (`HttpStream.continueRequest`). */
  stop: 1,
  /** The request has been answered. */
  replied: 2,
} as const;

export type FilterStatusCode = number;
