/** Access loggers. */
import { DataSource } from './core-schema.ts';
import { any, message, nested, optional, string, struct } from './schema.ts';

export const SubstitutionFormatString = message(
  'envoy.config.core.v3.SubstitutionFormatString',
  { text_format: optional(string(1)), json_format: struct(2), text_format_source: nested(5, DataSource) },
  '3:omit_empty_values 4:content_type 6:formatters 7:json_format_options',
  [['text_format', 'json_format', 'text_format_source']],
);

export const FileAccessLog = message(
  'envoy.extensions.access_loggers.file.v3.FileAccessLog',
  {
    path: string(1),
    format: optional(string(2)),
    json_format: struct(3),
    log_format: nested(5, SubstitutionFormatString),
  },
  '4:typed_json_format',
  [['format', 'json_format', 'log_format']],
);

export const StdoutAccessLog = message('envoy.extensions.access_loggers.stream.v3.StdoutAccessLog', {
  log_format: nested(1, SubstitutionFormatString),
});

export const StderrAccessLog = message('envoy.extensions.access_loggers.stream.v3.StderrAccessLog', {
  log_format: nested(1, SubstitutionFormatString),
});

export const AccessLog = message(
  'envoy.config.accesslog.v3.AccessLog',
  { name: string(1), typed_config: any(4, [FileAccessLog, StdoutAccessLog, StderrAccessLog]) },
  '2:filter',
);
