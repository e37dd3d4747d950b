import type { ConnectionRecord, StreamInfo } from '../stream-info.ts';
import { type Command, type CommandValue, compileCommand } from './commands.ts';
import { escapeText } from './escape.ts';
import { LogLine } from './log-line.ts';

/** Longest format string, characters. */
export const MAX_FORMAT_LENGTH = 8192;

/** A format string, compiled once. */
export interface Format {
  /** Control characters, quotes and backslashes that peers could plant are escaped. */
  http(info: StreamInfo): string;
  tcp(record: ConnectionRecord): string;
  /** The same as bytes. */
  httpLine(): LogLine<StreamInfo>;
  tcpLine(): LogLine<ConnectionRecord>;
  /** The bare value where the format is one command and nothing else (for JSON); else undefined. */
  readonly single: Command | undefined;
}

type Piece = string | Command;

/** Envoy's format when none is configured. */
export const DEFAULT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" ' +
  '"%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

/** Compiles a format; the result is the reason as text when a command is unknown or the text malformed. */
export function compileFormat(text: string): Format | string {
  const pieces = parseFormat(text);
  if (typeof pieces === 'string') {
    return pieces;
  }
  const [first] = pieces;
  const escapes = pieces.map((piece) => (typeof piece === 'string' ? asItIs : escaperOf()));
  const http = (info: StreamInfo): string => {
    let line = '';
    for (let index = 0; index < pieces.length; index += 1) {
      const piece = pieces[index] as Piece;
      line += typeof piece === 'string' ? piece : shown(piece.http(info), escapes[index] as Clean);
    }
    return line;
  };
  const tcp = (record: ConnectionRecord): string => {
    let line = '';
    for (let index = 0; index < pieces.length; index += 1) {
      const piece = pieces[index] as Piece;
      line += typeof piece === 'string' ? piece : shown(piece.tcp(record), escapes[index] as Clean);
    }
    return line;
  };
  return {
    http,
    tcp,
    httpLine: () =>
      new LogLine(
        pieces.map((piece) => (typeof piece === 'string' ? piece : piece.http)),
        http,
      ),
    tcpLine: () =>
      new LogLine(
        pieces.map((piece) => (typeof piece === 'string' ? piece : piece.tcp)),
        tcp,
      ),
    single: pieces.length === 1 && typeof first === 'object' ? first : undefined,
  };
}

/** Why `text` cannot stand as the value of an added header; undefined when it can. */
export function headerFormatProblem(text: string): string | undefined {
  const pieces = parseFormat(text);
  return typeof pieces === 'string' ? pieces : undefined;
}

/**
 * Compiles the value of an added header. A command without a value yields an empty text, as in Envoy; line breaks
 * never get into a header.
 * @returns a constant when there is no command in it, else a function of the request.
 */
export function compileHeaderValue(text: string): string | ((info: StreamInfo) => string) {
  const pieces = parseFormat(text);
  if (typeof pieces === 'string') {
    return text;
  }
  if (pieces.every((piece) => typeof piece === 'string')) {
    return pieces.join('');
  }
  return (info) => {
    let value = '';
    for (const piece of pieces) {
      value += typeof piece === 'string' ? piece : shown(piece.http(info) ?? '', stripControls);
    }
    return value;
  };
}

type Clean = (text: string) => string;

const asItIs: Clean = (text) => text;

function shown(value: CommandValue, clean: Clean): string {
  if (value === undefined) {
    return '-';
  }
  return typeof value === 'string' ? clean(value) : String(value);
}

/** Escapes the values of one command. Most repeat (a method, a route, a user agent): the last one is remembered. */
function escaperOf(): Clean {
  let last = '';
  let lastEscaped = '';
  return (text) => {
    if (text !== last) {
      last = text;
      lastEscaped = escapeText(text);
    }
    return lastEscaped;
  };
}

function stripControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, '');
}

/** `%NAME(arguments):length%`; the arguments may hold percent signs but no closing parenthesis. */
const commandPattern = /%([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(?::(\d{1,5}))?%/y;

function parseFormat(text: string): Piece[] | string {
  if (text.length > MAX_FORMAT_LENGTH) {
    return `the format is longer than ${MAX_FORMAT_LENGTH} characters`;
  }
  const pieces: Piece[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    const percent = text.indexOf('%', at);
    if (percent < 0) {
      literal += text.slice(at);
      break;
    }
    literal += text.slice(at, percent);
    if (text[percent + 1] === '%') {
      literal += '%';
      at = percent + 2;
      continue;
    }
    commandPattern.lastIndex = percent;
    const match = commandPattern.exec(text);
    if (match === null) {
      return `there is no command at ${JSON.stringify(text.slice(percent, percent + 30))}`;
    }
    const [whole, name = '', args, length] = match;
    const command = compileCommand(name, args);
    if (typeof command === 'string') {
      return `%${name}%: ${command}`;
    }
    if (literal !== '') {
      pieces.push(literal);
      literal = '';
    }
    pieces.push(length === undefined ? command : truncated(command, Number(length)));
    at = percent + whole.length;
  }
  if (literal !== '') {
    pieces.push(literal);
  }
  return pieces;
}

function truncated(command: Command, length: number): Command {
  const cut = (value: CommandValue): CommandValue => (typeof value === 'string' ? value.slice(0, length) : value);
  return { http: (info) => cut(command.http(info)), tcp: (record) => cut(command.tcp(record)) };
}
