/** One title of the shop. */
export interface Book {
  readonly id: string;
  readonly title: string;
  readonly author: string;
  readonly year: number;
  readonly priceCents: number;
  readonly blurb: string;
  /** Two colours of the drawn cover. */
  readonly cover: readonly [string, string];
}

/** A review as the reviews service tells it; `stars` only where its version shows them. */
export interface Review {
  readonly reader: string;
  readonly text: string;
  readonly stars?: number;
}

/** What the reviews service answers. */
export interface Reviews {
  readonly book: string;
  readonly version: string;
  readonly reviews: readonly Review[];
  /** CSS colour of the stars; absent without stars. */
  readonly starColour?: string;
  /** Why there are no stars although this version shows them. */
  readonly ratingsError?: string;
}
