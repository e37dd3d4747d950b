/**
 * Operational errors: something outside Weft's code went wrong (a busy port, a full disk, a peer that went away).
 * Every error has a code of one closed registry, so that programs and documentation can refer to it; nothing ever
 * matches on message text.
 */

/** One entry of the registry. `docs/errors.md` documents each under the heading of its code. */
export interface ErrorDeclaration {
  /** `error` stops what was asked for, `warning` does not. */
  readonly severity: 'error' | 'warning';
  /** What an operator can do about it, one sentence. */
  readonly hint: string;
}

const registry = {
  INTERNAL: { severity: 'error', hint: 'This is a defect in Weft: please report it with the log.' },
  PORT_IN_USE: { severity: 'error', hint: 'Stop the program that holds the port or choose another one.' },
  ALREADY_RUNNING: { severity: 'error', hint: 'Use the running mesh, or stop it with `weft down`.' },
  NOT_RUNNING: { severity: 'error', hint: 'Start the mesh with `npm start` or `weft up`.' },
  DISK_FULL: { severity: 'error', hint: 'Free some space or move the state folder with WEFT_HOME.' },
  PERMISSION_DENIED: { severity: 'error', hint: 'Check the rights of the file or folder named.' },
  STORAGE_FAILED: { severity: 'error', hint: 'Check the disk; the state folder holds one SQLite file.' },
  STORAGE_CORRUPT: { severity: 'error', hint: 'Restore the file from a backup; Weft does not guess.' },
  BAD_CONFIGURATION: { severity: 'error', hint: 'Mend the field named in the message.' },
  UNAUTHENTICATED: { severity: 'error', hint: 'Use the kubeconfig that Weft wrote, or a valid token.' },
  FORBIDDEN: { severity: 'error', hint: 'Ask for a role that allows the action.' },
  NOT_FOUND: { severity: 'error', hint: 'Check the name and the namespace.' },
  CONFLICT: { severity: 'error', hint: 'Read the object again and repeat the change.' },
  INVALID: { severity: 'error', hint: 'Mend the fields named in the message.' },
  UNAVAILABLE: { severity: 'error', hint: 'Wait for the peer to come back; Weft retries by itself.' },
  TIMEOUT: { severity: 'error', hint: 'Look at the log of the peer named.' },
  CANCELLED: { severity: 'error', hint: 'It was told to stop meanwhile: do it again if it is still wanted.' },
  TOO_LARGE: { severity: 'error', hint: 'Split the object or remove what is not needed.' },
  TOKEN_INVALID: { severity: 'error', hint: 'Make a new join token: each is good for one workload, once.' },
  CERTIFICATE_INVALID: { severity: 'error', hint: 'Check the clock and the trust bundle of both sides.' },
  PROTOCOL_ERROR: { severity: 'error', hint: 'The peer speaks something else: check its version and address.' },
  PEER_MISSING: { severity: 'error', hint: 'Install the program named, or choose an engine that needs none.' },
  CHILD_FAILED: { severity: 'error', hint: 'Look at the output of the program that ended.' },
} as const satisfies Record<string, ErrorDeclaration>;

/** A code of the closed registry. */
export type ErrorCode = keyof typeof registry;

/** All codes, for documentation and its test. */
export const errorCodes: readonly ErrorCode[] = Object.keys(registry) as ErrorCode[];

/** What the registry says about `code`. */
export function errorDeclaration(code: ErrorCode): ErrorDeclaration {
  return registry[code];
}

/** Further facts about an error; `cause` is the error below it. */
export interface MeshErrorOptions {
  readonly cause?: unknown;
  /** A fix that is more exact than the registry's hint. */
  readonly hint?: string;
  /** Small, printable facts: a port, a path. Never a secret. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** An operational error with a code, a message that names the place, and a hint how to mend it. */
export class MeshError extends Error {
  override readonly name = 'MeshError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(code: ErrorCode, message: string, options: MeshErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? registry[code].hint;
    this.details = options.details ?? {};
  }

  /** Turns anything thrown into a MeshError; total, never throws. */
  static from(thrown: unknown, code?: ErrorCode): MeshError {
    if (thrown instanceof MeshError) {
      return thrown;
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new MeshError(code ?? codeOfSystemError(thrown), message, { cause: thrown });
  }
}

const systemCodes: Readonly<Record<string, ErrorCode>> = {
  EADDRINUSE: 'PORT_IN_USE',
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EACCES: 'PERMISSION_DENIED',
  EPERM: 'PERMISSION_DENIED',
  EROFS: 'PERMISSION_DENIED',
  ECONNREFUSED: 'UNAVAILABLE',
  ECONNRESET: 'UNAVAILABLE',
  EPIPE: 'UNAVAILABLE',
  ETIMEDOUT: 'TIMEOUT',
  ENOENT: 'NOT_FOUND',
};

function codeOfSystemError(thrown: unknown): ErrorCode {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return (code !== undefined ? systemCodes[code] : undefined) ?? 'INTERNAL';
}
