import type { ClusterProtocol, HealthCheck } from '@weft/ir';
import type { Cluster } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { RequestMethod } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import {
  HealthCheck_GrpcHealthCheck,
  HealthCheck_HttpHealthCheck,
  HealthCheck_Payload,
  HealthCheck_TcpHealthCheck,
  HealthCheck_TlsOptions,
  HealthCheck as HealthCheckMessage,
} from '@weft/xds-types/envoy/config/core/v3/health_check.ts';
import { CodecClientType } from '@weft/xds-types/envoy/type/v3/http.ts';
import { Int64Range } from '@weft/xds-types/envoy/type/v3/range.ts';
import { checkedProtocols } from './alpn.ts';
import { duration } from './core.ts';
import { create } from './message.ts';

/** All statuses that there are. */
const anyStatus = create(Int64Range, { start: 100n, end: 600n });

/** Active checks of a cluster's endpoints. */
export function healthChecking(
  healthCheck: HealthCheck | undefined,
  protocol: ClusterProtocol,
): Partial<Pick<Cluster, 'healthChecks' | 'ignoreHealthOnHostRemoval'>> {
  if (healthCheck === undefined) {
    return {};
  }
  const { intervalMs, jitterMs, timeoutMs, healthyThreshold, unhealthyThreshold, check } = healthCheck;
  const alpnProtocols = checkedProtocols(check, protocol);
  return {
    healthChecks: [
      create(HealthCheckMessage, {
        timeout: duration(timeoutMs),
        interval: duration(intervalMs),
        // Envoy's minute would hold on after the first request. A proxy has few clusters that it does not use.
        noTrafficInterval: duration(intervalMs),
        intervalJitter: duration(jitterMs),
        healthyThreshold,
        unhealthyThreshold,
        healthChecker: checker(check),
        tlsOptions:
          alpnProtocols.length === 0
            ? undefined
            : create(HealthCheck_TlsOptions, { alpnProtocols: [...alpnProtocols] }),
      }),
    ],
    // The mesh knows which endpoints leave: one that drains must not be kept because it still answers.
    ignoreHealthOnHostRemoval: true,
  };
}

function checker(check: HealthCheck['check']): HealthCheckMessage['healthChecker'] {
  switch (check.kind) {
    case 'http':
      return {
        $case: 'httpHealthCheck',
        value: create(HealthCheck_HttpHealthCheck, {
          host: check.host,
          path: check.path,
          method: RequestMethod[check.method],
          expectedStatuses: check.expectedStatuses.map(([first, last]) =>
            create(Int64Range, { start: BigInt(first), end: BigInt(last + 1) }),
          ),
          // Otherwise one wrong answer would count at once, whatever the threshold is.
          retriableStatuses: [anyStatus],
          codecClientType: check.http2 ? CodecClientType.HTTP2 : CodecClientType.HTTP1,
        }),
      };
    case 'grpc':
      return {
        $case: 'grpcHealthCheck',
        value: create(HealthCheck_GrpcHealthCheck, { serviceName: check.service, authority: check.authority }),
      };
    case 'tcp':
      return {
        $case: 'tcpHealthCheck',
        value: create(HealthCheck_TcpHealthCheck, {
          send: check.send === '' ? undefined : payload(check.send),
          receive: check.receive.map(payload),
        }),
      };
  }
}

function payload(text: string): HealthCheck_Payload {
  return create(HealthCheck_Payload, { payload: { $case: 'text', value: text } });
}
