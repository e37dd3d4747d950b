export { createApiServer, defaultLimits } from './create-api-server.ts';
export type {
  AccessDecision,
  AccessRequest,
  AdmissionCheck,
  AdmissionRequest,
  AdmissionVerdict,
  AdmissionView,
  ApiLimits,
  ApiServer,
  ApiServerOptions,
  Mount,
  MountedRequest,
  ServingCertificate,
  TokenVerifier,
  UserInfo,
} from './options.ts';
export { openSqliteStorage, type SqliteStorageOptions } from './storage/sqlite-storage.ts';
export type { Storage, StorageChange, StorageContent, StorageRecord } from './storage/storage.ts';
