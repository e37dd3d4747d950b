import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { MeshError } from '@weft/base';

const mark = '[redacted]';

/**
 * A value that must not be printed. Strings, JSON, `util.inspect` and template literals show `[redacted]`; the value
 * itself is had only by calling {@link reveal}, which is easy to find in a review.
 */
export class Redacted<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value. Never hand the result to a logger, an error message or a dump. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return mark;
  }

  toJSON(): string {
    return mark;
  }

  [Symbol.toPrimitive](): string {
    return mark;
  }

  [inspect.custom](): string {
    return mark;
  }
}

/** A private key that prints as `[redacted]`. */
export class PrivateKey extends Redacted<KeyObject> {
  readonly publicKey: KeyObject;

  constructor(key: KeyObject) {
    super(key);
    this.publicKey = createPublicKey(key);
  }

  /**
   * @param pem PKCS#8 or SEC 1 text.
   * @throws MeshError `CERTIFICATE_INVALID`; the message never quotes the text.
   */
  static fromPem(pem: string): PrivateKey {
    try {
      return new PrivateKey(createPrivateKey(pem));
    } catch {
      throw new MeshError('CERTIFICATE_INVALID', 'the private key is not readable PEM');
    }
  }

  /** PKCS#8 PEM, for a file of mode 0600 or a TLS socket only. */
  revealPem(): string {
    return this.reveal().export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  /** SHA-256 of the public key (SPKI), hexadecimal: may be printed, tells keys apart. */
  fingerprint(): string {
    return createHash('sha256')
      .update(this.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex');
  }
}
