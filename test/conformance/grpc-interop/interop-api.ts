import { join } from 'node:path';
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type GrpcObject,
  loadPackageDefinition,
  type Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export interface Payload {
  readonly type?: number;
  readonly body: Buffer;
}

export interface EchoStatus {
  readonly code: number;
  readonly message: string;
}

export interface SimpleRequest {
  readonly responseSize?: number;
  readonly payload?: Payload;
  readonly responseStatus?: EchoStatus;
}

export interface SimpleResponse {
  readonly payload: Payload | null;
}

export interface StreamingInputRequest {
  readonly payload: Payload;
}

export interface StreamingInputResponse {
  readonly aggregatedPayloadSize: number;
}

export interface StreamingOutputRequest {
  readonly responseParameters?: readonly { readonly size: number }[];
  readonly payload?: Payload;
  readonly responseStatus?: EchoStatus;
}

export interface StreamingOutputResponse {
  readonly payload: Payload | null;
}

type Done<T> = (error: ServiceError | null, answer?: T) => void;

/** A client of `grpc.testing.TestService`. */
export interface TestServiceClient extends Client {
  emptyCall(request: object, done: Done<object>): ClientUnaryCall;
  unaryCall(request: SimpleRequest, metadata: Metadata, done: Done<SimpleResponse>): ClientUnaryCall;
  streamingInputCall(done: Done<StreamingInputResponse>): ClientWritableStream<StreamingInputRequest>;
  streamingOutputCall(request: StreamingOutputRequest): ClientReadableStream<StreamingOutputResponse>;
  fullDuplexCall(
    metadata: Metadata,
    options?: { readonly deadline?: number },
  ): ClientDuplexStream<StreamingOutputRequest, StreamingOutputResponse>;
  unimplementedCall(request: object, done: Done<object>): ClientUnaryCall;
}

/** The services of `interop.proto`. */
export function interopApi(): {
  readonly TestService: ServiceClientConstructor;
  readonly UnimplementedService: ServiceClientConstructor;
} {
  const loaded = loadPackageDefinition(loadSync(join(import.meta.dirname, 'interop.proto'), { defaults: true }));
  const testing = (loaded['grpc'] as GrpcObject)['testing'] as GrpcObject;
  return {
    TestService: testing['TestService'] as ServiceClientConstructor,
    UnimplementedService: testing['UnimplementedService'] as ServiceClientConstructor,
  };
}
