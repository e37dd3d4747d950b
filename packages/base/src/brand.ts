declare const brand: unique symbol;

/** A nominal subtype of `T`: two brands of the same base type cannot be swapped by mistake. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Duration in milliseconds. */
export type Milliseconds = number;
/** Size in bytes. */
export type Bytes = number;
