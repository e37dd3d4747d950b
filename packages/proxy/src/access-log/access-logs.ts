import type { Clock, Logger } from '@weft/base';
import type { AccessLogConfig } from '../runtime-config/config.ts';
import type { ConnectionRecord, StreamInfo } from '../stream-info.ts';
import { AccessLogFile } from './access-log-file.ts';
import type { CommandValue } from './commands.ts';
import { compileFormat, type Format } from './format.ts';
import type { LogLine } from './log-line.ts';

interface CompiledLog {
  readonly file: AccessLogFile;
  readonly http: (info: StreamInfo, file: AccessLogFile) => void;
  readonly tcp: (record: ConnectionRecord, file: AccessLogFile) => void;
}

/** All access logs of the proxy: one file a path, however many listeners write to it. */
export class AccessLogs {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #files = new Map<string, AccessLogFile>();
  #compiled = new WeakMap<AccessLogConfig, CompiledLog>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  get dropped(): number {
    let dropped = 0;
    for (const file of this.#files.values()) {
      dropped += file.dropped;
    }
    return dropped;
  }

  logStream(configs: readonly AccessLogConfig[], info: StreamInfo): void {
    // No iterator: this is done for each request.
    for (let index = 0; index < configs.length; index += 1) {
      const log = this.#logOf(configs[index] as AccessLogConfig);
      log.http(info, log.file);
    }
  }

  logConnection(configs: readonly AccessLogConfig[], record: ConnectionRecord): void {
    for (const config of configs) {
      const log = this.#logOf(config);
      log.tcp(record, log.file);
    }
  }

  /** After a rotation. */
  reopen(): void {
    for (const file of this.#files.values()) {
      file.reopen();
    }
  }

  /** Closes the files that no log of the present configuration writes to. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const [path, file] of this.#files) {
      if (!paths.has(path)) {
        file.close();
        this.#files.delete(path);
        // Logs of listeners that drain still point to the file: they open it again when they write.
        this.#compiled = new WeakMap();
      }
    }
  }

  close(): void {
    for (const file of this.#files.values()) {
      file.close();
    }
    this.#files.clear();
    this.#compiled = new WeakMap();
  }

  #logOf(config: AccessLogConfig): CompiledLog {
    const known = this.#compiled.get(config);
    if (known !== undefined) {
      return known;
    }
    const log = { file: this.#fileOf(config.path), ...compileLog(config.format) };
    this.#compiled.set(config, log);
    return log;
  }

  #fileOf(path: string): AccessLogFile {
    const known = this.#files.get(path);
    if (known !== undefined) {
      return known;
    }
    const file = new AccessLogFile(path, this.#clock, this.#logger);
    this.#files.set(path, file);
    return file;
  }
}

function compileLog(format: AccessLogConfig['format']): Pick<CompiledLog, 'http' | 'tcp'> {
  if (format.kind === 'text') {
    const compiled = compiledFormat(format.text);
    return { http: writerOf(compiled.httpLine()), tcp: writerOf(compiled.tcpLine()) };
  }
  const fields = Object.entries(format.fields).map(
    ([key, text]) => [JSON.stringify(key), compiledFormat(text)] as const,
  );
  const render = (read: (format: Format) => CommandValue): string =>
    `{${fields.map(([key, compiled]) => `${key}:${JSON.stringify(read(compiled) ?? null)}`).join(',')}}\n`;
  return {
    http: (info, file) =>
      file.append(render((compiled) => (compiled.single ? compiled.single.http(info) : compiled.http(info)))),
    tcp: (record, file) =>
      file.append(render((compiled) => (compiled.single ? compiled.single.tcp(record) : compiled.tcp(record)))),
  };
}

function writerOf<Entry>(line: LogLine<Entry>): (entry: Entry, file: AccessLogFile) => void {
  return (entry, file) => {
    line.render(entry);
    file.appendBytes(line.bytes, line.length);
  };
}

/** Formats were checked when the configuration was accepted; one that is not known now would be a bug there. */
function compiledFormat(text: string): Format {
  const compiled = compileFormat(text);
  if (typeof compiled === 'string') {
    throw new TypeError(compiled);
  }
  return compiled;
}
