export { Alarm } from './alarm.ts';
export { Backoff, type BackoffOptions } from './backoff.ts';
export type { Brand, Bytes, Milliseconds } from './brand.ts';
export { type Clock, systemClock, type Timer } from './clock.ts';
export { Drain } from './drain.ts';
export { InvariantError, invariant, unreachable } from './invariant.ts';
export {
  createLogger,
  type LeveledLogger,
  type LogFields,
  type Logger,
  type LogLevel,
  silentLogger,
} from './logger.ts';
export {
  type ErrorCode,
  type ErrorDeclaration,
  errorCodes,
  errorDeclaration,
  MeshError,
  type MeshErrorOptions,
} from './mesh-error.ts';
export { type SocketFile, socketFileAt } from './socket-file.ts';
export { type MapChange, type Unsubscribe, Watch, WatchMap } from './watch.ts';
