/** Facts attached to a log line. Values that redact themselves (key material) print as `[redacted]`. */
export type LogFields = Readonly<Record<string, unknown>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const order: Readonly<Record<LogLevel, number>> = { debug: 10, info: 20, warn: 30, error: 40 };

/** A structured logger. Messages are constant sentences; what varies goes into `fields`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  with(fields: LogFields): Logger;
}

/** Where the level can be changed while the process runs. */
export interface LeveledLogger extends Logger {
  level: LogLevel;
}

/**
 * Writes one JSON object a line: `{"ts":"…","level":"info","msg":"…",…}`.
 * @param write receives the line without its newline; the default writes to standard error.
 */
export function createLogger(
  options: { readonly level?: LogLevel; readonly fields?: LogFields; readonly write?: (line: string) => void } = {},
): LeveledLogger {
  const state = { level: options.level ?? 'info' };
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const make = (bound: LogFields): LeveledLogger => {
    const log = (level: LogLevel, message: string, fields: LogFields | undefined): void => {
      if (order[level] < order[state.level]) {
        return;
      }
      write(JSON.stringify({ ts: new Date().toISOString(), level, msg: message, ...bound, ...fields }, printable));
    };
    return {
      get level() {
        return state.level;
      },
      set level(level: LogLevel) {
        state.level = level;
      },
      debug: (message, fields) => log('debug', message, fields),
      info: (message, fields) => log('info', message, fields),
      warn: (message, fields) => log('warn', message, fields),
      error: (message, fields) => log('error', message, fields),
      with: (fields) => make({ ...bound, ...fields }),
    };
  };
  return make(options.fields ?? {});
}

function printable(_key: string, value: unknown): unknown {
  if (value instanceof Error) {
    const code = (value as { code?: unknown }).code;
    return { name: value.name, message: value.message, ...(code === undefined ? {} : { code }), stack: value.stack };
  }
  if (typeof value === 'bigint') {
    return value.toString();
  }
  if (value instanceof Map) {
    return Object.fromEntries(value);
  }
  if (value instanceof Set) {
    return [...value];
  }
  return value;
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLogger,
};
