import {
  type HeadFields,
  healthCheckPath,
  healthCheckRequest,
  type RequestHead,
  type ResponseHead,
  saysServing,
} from '@weft/http-codec';
import type { GrpcHealthCheck } from '../runtime-config/health-check.ts';
import { addFields, checkUserAgent, type Exchange, type Verdict } from './exchange.ts';
import type { CheckTarget } from './probe.ts';

/** An answer is a few bytes; one that is longer than this is none. */
const maxMessageBytes = 1024;

/** `grpc.health.v1.Health/Check` */
export class GrpcExchange implements Exchange {
  readonly http2 = true;
  readonly isExcluded = false;
  readonly #check: GrpcHealthCheck;
  readonly #target: CheckTarget;
  readonly #message: Buffer;
  #status = 0;
  #isGrpc = false;
  #grpcStatus: string | undefined = undefined;
  #body: Buffer = Buffer.alloc(0);

  constructor(check: GrpcHealthCheck, target: CheckTarget) {
    this.#check = check;
    this.#target = target;
    this.#message = healthCheckRequest(check.serviceName);
  }

  ask(head: RequestHead): Buffer {
    const { authority, metadata } = this.#check;
    const { hostname, clusterName } = this.#target;
    this.#body = Buffer.alloc(0);
    this.#grpcStatus = undefined;
    head.setMethod('POST');
    head.setPath(healthCheckPath);
    head.setAuthority(hostname !== '' ? hostname : authority !== '' ? authority : clusterName);
    head.add('content-type', 'application/grpc');
    head.add('te', 'trailers');
    head.add('user-agent', checkUserAgent);
    addFields(head, metadata);
    return this.#message;
  }

  onHead(head: ResponseHead): void {
    this.#status = head.status;
    this.#isGrpc = (head.get('content-type') ?? '').startsWith('application/grpc');
    this.#grpcStatus = head.get('grpc-status');
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#body.length <= maxMessageBytes) {
      this.#body = Buffer.concat([this.#body, bytes.subarray(start, end)]);
    }
  }

  judge(trailers: HeadFields | undefined): Verdict {
    const status = trailers?.get('grpc-status') ?? this.#grpcStatus;
    const isServing =
      this.#status === 200 &&
      this.#isGrpc &&
      status === '0' &&
      this.#body.length <= maxMessageBytes &&
      saysServing(this.#body);
    return isServing ? 'passed' : 'refused';
  }
}
