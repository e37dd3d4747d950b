import type { Duration } from '@weft/xds-types/google/protobuf/duration.ts';

export function millisecondsOf(duration: Duration): number {
  return Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}
