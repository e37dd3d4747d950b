/** The timers of a stream, by number. */
export const StreamTimer = {
  route: 0,
  perTry: 1,
  perTryIdle: 2,
  backOff: 3,
  idle: 4,
  request: 5,
  duration: 6,
  faultDelay: 7,
  throttle: 8,
} as const;

export const streamTimerCount = 9;
