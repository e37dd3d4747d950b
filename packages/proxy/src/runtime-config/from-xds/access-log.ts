import { compileFormat, DEFAULT_FORMAT } from '../../access-log/format.ts';
import type { AccessLogConfig } from '../config.ts';
import type { AccessLog, FileAccessLog, SubstitutionFormatString } from '../wire/access-log-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded, JsonObject } from '../wire/schema.ts';
import { textFromXds } from './data-source.ts';
import { present } from './present.ts';

/** `envoy.config.accesslog.v3.AccessLog` */
export function accessLogsFromXds(logs: readonly Decoded<typeof AccessLog>[], problems: Problems): AccessLogConfig[] {
  return present(
    problems.each('access_log', logs, ({ typed_config: config }) => {
      if (config === undefined) {
        problems.add('required', 'typed_config');
        return undefined;
      }
      return problems.within('typed_config', () => {
        switch (config.type) {
          case 'envoy.extensions.access_loggers.file.v3.FileAccessLog':
            return fileFromXds(config.value, problems);
          case 'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog':
            return { path: '/dev/stdout', format: formatFromXds(config.value.log_format, problems) };
          case 'envoy.extensions.access_loggers.stream.v3.StderrAccessLog':
            return { path: '/dev/stderr', format: formatFromXds(config.value.log_format, problems) };
        }
      });
    }),
  );
}

function fileFromXds(file: Decoded<typeof FileAccessLog>, problems: Problems): AccessLogConfig {
  if (file.path === '') {
    problems.add('required', 'path');
  }
  if (file.format !== undefined) {
    return { path: file.path, format: checked({ kind: 'text', text: file.format }, 'format', problems) };
  }
  if (file.json_format !== undefined) {
    return { path: file.path, format: jsonFormat(file.json_format, 'json_format', problems) };
  }
  return { path: file.path, format: formatFromXds(file.log_format, problems) };
}

function formatFromXds(
  format: Decoded<typeof SubstitutionFormatString> | undefined,
  problems: Problems,
): AccessLogConfig['format'] {
  if (format === undefined) {
    return { kind: 'text', text: DEFAULT_FORMAT };
  }
  return problems.within('log_format', () => {
    const { json_format: json, text_format_source: source } = format;
    if (json !== undefined) {
      return jsonFormat(json, 'json_format', problems);
    }
    if (source !== undefined) {
      const text = problems.within('text_format_source', () => textFromXds(source, problems));
      return checked({ kind: 'text', text }, 'text_format_source', problems);
    }
    if (format.text_format === undefined || format.text_format === '') {
      problems.add('one of text_format_source, json_format, text_format is required');
    }
    return checked({ kind: 'text', text: format.text_format ?? '' }, 'text_format', problems);
  });
}

function checked(
  format: Extract<AccessLogConfig['format'], { kind: 'text' }>,
  at: string,
  problems: Problems,
): AccessLogConfig['format'] {
  const compiled = compileFormat(format.text);
  if (typeof compiled === 'string') {
    problems.add(compiled, at);
  }
  return format;
}

function jsonFormat(struct: JsonObject, at: string, problems: Problems): AccessLogConfig['format'] {
  const fields: [string, string][] = [];
  for (const [key, value] of Object.entries(struct)) {
    if (typeof value !== 'string') {
      problems.add('only strings are supported', `${at}.${key}`);
      continue;
    }
    const compiled = compileFormat(value);
    if (typeof compiled === 'string') {
      problems.add(compiled, `${at}.${key}`);
    }
    fields.push([key, value]);
  }
  return { kind: 'json', fields: Object.fromEntries(fields) };
}
