import { join } from 'node:path';
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** `Recommendation` of `recommendations.proto`. */
export interface Recommendation {
  readonly book: string;
  readonly why: string;
}

/** The service of `recommendations.proto`: what a client is made with, and what a server serves. */
export function recommendationsApi(): ServiceClientConstructor {
  const loaded = loadPackageDefinition(
    loadSync(join(import.meta.dirname, 'recommendations.proto'), { defaults: true }),
  );
  const version = (loaded['bookshop'] as GrpcObject)['v1'] as GrpcObject;
  return version['Recommendations'] as ServiceClientConstructor;
}
