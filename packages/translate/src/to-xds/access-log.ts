import { packAny } from '@weft/xds-types';
import { AccessLog } from '@weft/xds-types/envoy/config/accesslog/v3/accesslog.ts';
import { DataSource } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { SubstitutionFormatString } from '@weft/xds-types/envoy/config/core/v3/substitution_format_string.ts';
import { FileAccessLog } from '@weft/xds-types/envoy/extensions/access_loggers/file/v3/file.ts';
import { create } from './message.ts';

/** Istio's default format, so that its users read ours without learning. */
const format = [
  '[%START_TIME%]',
  '"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%"',
  '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS%',
  '"%UPSTREAM_TRANSPORT_FAILURE_REASON%"',
  '%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"',
  '%UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS%',
  '%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n',
].join(' ');

/** @param path undefined = no access log. */
export function accessLogs(path: string | undefined): AccessLog[] {
  if (path === undefined) {
    return [];
  }
  const file = create(FileAccessLog, {
    path,
    accessLogFormat: {
      $case: 'logFormat',
      value: create(SubstitutionFormatString, {
        format: {
          $case: 'textFormatSource',
          value: create(DataSource, { specifier: { $case: 'inlineString', value: format } }),
        },
      }),
    },
  });
  return [
    create(AccessLog, {
      name: 'envoy.access_loggers.file',
      configType: {
        $case: 'typedConfig',
        value: packAny('envoy.extensions.access_loggers.file.v3.FileAccessLog', FileAccessLog, file),
      },
    }),
  ];
}
