import { type ErrorCode, errorCodes, MeshError } from '@weft/base';
import type { Violation, ViolationCode } from '@weft/resources';
import { CliFailure } from '../cli-failure.ts';
import { exitCode } from '../exit-code.ts';

/** Kubernetes' `meta.v1.Status`, as far as it is read here. */
interface ApiStatus {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  };
}

const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  410: 'CONFLICT',
  413: 'TOO_LARGE',
  422: 'INVALID',
  429: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'TIMEOUT',
  507: 'DISK_FULL',
};

/** What an API server's refusal means for the user: a list of mistakes, or an operational error. */
export function statusError(httpStatus: number, body: string, request: string): Error {
  const status = parseStatus(body);
  const causes = status?.details?.causes ?? [];
  const operational = causes.length === 1 ? errorCodes.find((known) => known === causes[0]?.reason) : undefined;
  const message =
    (operational === undefined ? undefined : causes[0]?.message) ??
    status?.message ??
    `the server answered ${httpStatus}`;
  const code = operational ?? codes[httpStatus] ?? 'INTERNAL';
  const cause = new MeshError(code, message, { details: { where: request, status: httpStatus } });
  if (code !== 'INVALID' || causes.length === 0 || operational !== undefined) {
    return cause;
  }
  const object = [status?.details?.kind, status?.details?.name].filter((part) => part !== undefined).join(' ');
  return new CliFailure(
    {
      what: `the API refused ${object === '' ? 'the object' : object}`,
      violations: causes.map(violationOfCause),
      exitCode: exitCode.userMistake,
    },
    cause,
  );
}

function violationOfCause(cause: {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}): Violation {
  return {
    path: cause.field ?? '',
    code: (cause.reason ?? 'FieldValueInvalid') as ViolationCode,
    message: cause.message ?? 'not valid',
    fix: '',
  };
}

function parseStatus(body: string): ApiStatus | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as ApiStatus) : undefined;
  } catch {
    return undefined;
  }
}
