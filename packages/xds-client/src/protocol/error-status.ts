import type { Status } from '@weft/xds-types/google/rpc/status.ts';
import { grpcCodes } from '../grpc/status.ts';

/** Longest error message of a NACK; what is cut off stands in our own log. */
const maxErrorLength = 8 * 1024;

/** The `error_detail` of a NACK. */
export function errorStatus(message: string | undefined): Status | undefined {
  return message === undefined
    ? undefined
    : { code: grpcCodes.indexOf('INVALID_ARGUMENT'), message: message.slice(0, maxErrorLength), details: [] };
}
