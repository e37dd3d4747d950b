/** Which field section a block is; it decides what pseudo fields may stand in it (RFC 9113 §8.3). */
export type FieldSection = 'request' | 'response' | 'trailers';

/**
 * The pseudo fields of one head (RFC 9113 §8.3, RFC 8441 §4). Their bytes were checked: a method is a token, a scheme has
 * the form of RFC 3986, path and authority hold no byte that could end a line, a target or an authority. Which of
 * them have to be there, and how they go together, is for the receiver to say. Usual values are shared strings.
 */
export class PseudoFields {
  /** undefined: did not come. */
  method: string | undefined = undefined;
  scheme: string | undefined = undefined;
  authority: string | undefined = undefined;
  path: string | undefined = undefined;
  protocol: string | undefined = undefined;
  /** 100 to 999; 0: did not come. */
  status = 0;

  clear(): void {
    this.method = undefined;
    this.scheme = undefined;
    this.authority = undefined;
    this.path = undefined;
    this.protocol = undefined;
    this.status = 0;
  }
}
