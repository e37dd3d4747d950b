import { type ErrorCode, MeshError } from '@weft/base';
import type { Violation } from '@weft/resources';

/** `meta.v1.StatusCause`. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** `meta.v1.StatusDetails`. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** `meta.v1.Status`: how the API says that something failed, or that a delete is done. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** Names the resource a request is about. */
export interface ResourceName {
  readonly group: string;
  readonly plural: string;
  readonly kind?: string;
}

/** An answer that is not success. Every one that the API gives is made by a function of this file. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  /** `metadata` of the Status object; a 410 to a paged list carries a new `continue` there. */
  readonly metadata: Readonly<Record<string, unknown>>;

  constructor(
    code: number,
    reason: string,
    message: string,
    options: { details?: StatusDetails; metadata?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = reason;
    this.details = options.details;
    this.metadata = options.metadata ?? {};
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.metadata,
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/**
 * Anything thrown, as the answer to the client. Storage trouble is 507 or 500; a defect is 500 and says so. The code of
 * `docs/errors.md` is the reason of the one cause, for programs that know it.
 */
export function statusErrorFrom(thrown: unknown): StatusError {
  if (thrown instanceof StatusError) {
    return thrown;
  }
  const error = MeshError.from(thrown);
  const [code, reason] = httpOfMeshError[error.code] ?? [500, 'InternalError'];
  return new StatusError(code, reason, `${error.message} (${error.code}: ${error.hint})`, {
    cause: thrown,
    details: { causes: [{ reason: error.code, message: error.message }] },
  });
}

const httpOfMeshError: Partial<Record<ErrorCode, readonly [number, string]>> = {
  DISK_FULL: [507, 'InternalError'],
  UNAVAILABLE: [503, 'ServiceUnavailable'],
  TIMEOUT: [504, 'Timeout'],
  NOT_FOUND: [404, 'NotFound'],
  CONFLICT: [409, 'Conflict'],
  INVALID: [422, 'Invalid'],
  FORBIDDEN: [403, 'Forbidden'],
  UNAUTHENTICATED: [401, 'Unauthorized'],
  TOO_LARGE: [413, 'RequestEntityTooLarge'],
};

const meshCodeOfReason: Readonly<Record<string, ErrorCode>> = {
  NotFound: 'NOT_FOUND',
  AlreadyExists: 'CONFLICT',
  Conflict: 'CONFLICT',
  Invalid: 'INVALID',
  BadRequest: 'INVALID',
  MethodNotAllowed: 'INVALID',
  UnsupportedMediaType: 'INVALID',
  Forbidden: 'FORBIDDEN',
  Unauthorized: 'UNAUTHENTICATED',
  RequestEntityTooLarge: 'TOO_LARGE',
  TooManyRequests: 'UNAVAILABLE',
  ServiceUnavailable: 'UNAVAILABLE',
  Timeout: 'TIMEOUT',
  Expired: 'CONFLICT',
};

/** The same failure for callers in the process; `details.reason` keeps Kubernetes' reason (`AlreadyExists`, …). */
export function meshErrorOfStatus(thrown: unknown): MeshError {
  if (!(thrown instanceof StatusError)) {
    return MeshError.from(thrown);
  }
  if (thrown.cause instanceof MeshError) {
    return thrown.cause;
  }
  return new MeshError(meshCodeOfReason[thrown.reason] ?? 'INTERNAL', thrown.message, {
    cause: thrown,
    details: { reason: thrown.reason, httpStatus: thrown.code },
  });
}

/** `services "reviews"`, with the group for kinds that have one, as Kubernetes writes it. */
function qualified(resource: ResourceName): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

function detailsOf(resource: ResourceName, name: string, causes?: readonly StatusCause[]): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
    ...(causes === undefined || causes.length === 0 ? {} : { causes }),
  };
}

export function notFound(resource: ResourceName, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, {
    details: detailsOf(resource, name),
  });
}

export function pathNotFound(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', { details: {} });
}

export function alreadyExists(resource: ResourceName, name: string): StatusError {
  return new StatusError(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, {
    details: detailsOf(resource, name),
  });
}

export function conflict(resource: ResourceName, name: string, why: string): StatusError {
  return new StatusError(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`, {
    details: detailsOf(resource, name),
  });
}

export const modifiedMeanwhile =
  'the object has been modified; please apply your changes to the latest version and try again';

export function applyConflict(message: string, causes: readonly StatusCause[]): StatusError {
  return new StatusError(409, 'Conflict', message, { details: { causes } });
}

export function badRequest(message: string, causes?: readonly StatusCause[]): StatusError {
  return new StatusError(400, 'BadRequest', message, causes === undefined ? {} : { details: { causes } });
}

/** 422 with every violation as a cause; message and causes carry the fix. */
export function invalid(resource: ResourceName, name: string, violations: readonly Violation[]): StatusError {
  const causes = violations.map(causeOfViolation);
  const lines = causes.map((cause) => (cause.field === '' ? cause.message : `${cause.field}: ${cause.message}`));
  const list = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  const subject = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  return new StatusError(422, 'Invalid', `${subject} "${name}" is invalid: ${list}`, {
    details: { ...detailsOf(resource, name, causes), kind: resource.kind ?? resource.plural },
  });
}

function causeOfViolation(violation: Violation): StatusCause & { message: string; field: string } {
  const { path, message, fix } = violation;
  const place =
    violation.line === undefined
      ? ''
      : ` (line ${violation.line}${violation.column ? `, column ${violation.column}` : ''})`;
  return {
    reason: violation.code,
    message: fix === '' ? message + place : `${message}${place}; fix: ${fix}`,
    field: path,
  };
}

export function forbidden(
  resource: ResourceName,
  name: string,
  why: string,
  causes?: readonly StatusCause[],
): StatusError {
  const subject = name === '' ? qualified(resource) : `${qualified(resource)} "${name}"`;
  return new StatusError(403, 'Forbidden', `${subject} is forbidden: ${why}`, {
    details: detailsOf(resource, name, causes),
  });
}

export function forbiddenPath(username: string, verb: string, path: string): StatusError {
  return new StatusError(403, 'Forbidden', `forbidden: User "${username}" cannot ${verb} path "${path}"`, {
    details: {},
  });
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized');
}

export function tooLarge(limitBytes: number): StatusError {
  return new StatusError(
    413,
    'RequestEntityTooLarge',
    `Request entity too large: limit is ${limitBytes} bytes; fix: split the object or remove what is not needed`,
  );
}

export function unsupportedMediaType(got: string, accepted: readonly string[]): StatusError {
  return new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')} (got: ${got})`,
  );
}

export function notAcceptable(accepted: readonly string[]): StatusError {
  return new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);
}

export function methodNotAllowed(resource: ResourceName | undefined, verb: string): StatusError {
  const message =
    resource === undefined
      ? `the server does not allow this method on the requested resource`
      : `${verb} is not supported on resources of kind "${qualified(resource)}"`;
  return new StatusError(405, 'MethodNotAllowed', message, {
    ...(resource === undefined ? {} : { details: detailsOf(resource, '') }),
  });
}

export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError(429, 'TooManyRequests', message, { details: { retryAfterSeconds } });
}

/** 410: the version asked for is gone; the client lists again. */
export function expired(message: string, metadata?: Readonly<Record<string, unknown>>): StatusError {
  return new StatusError(410, 'Expired', message, metadata === undefined ? {} : { metadata });
}

/** 504: the version asked for does not exist yet (`ResourceVersionTooLarge`), client-go then tries again. */
export function versionTooLarge(asked: number, current: number): StatusError {
  return new StatusError(504, 'Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  });
}

/** The answer to a delete that is done. */
export function deleted(resource: ResourceName, name: string, uid: string | undefined): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...detailsOf(resource, name), ...(uid === undefined ? {} : { uid }) },
    code: 200,
  };
}
