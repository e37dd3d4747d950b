import { oneOf, someOf } from './configuration.ts';

type Field = readonly [string, string];

/** What clients should not be able to say to a gateway, and what goes on as it is. */
export function fromOutside(random: () => number): readonly Field[] {
  return someOf<Field>(
    random,
    [
      ['x-forwarded-for', oneOf(random, ['203.0.113.7', '10.0.0.1', 'nonsense', '203.0.113.7, 10.1.2.3'])],
      ['x-forwarded-proto', oneOf(random, ['http', 'https'])],
      ['x-forwarded-host', 'other.example'],
      ['x-forwarded-port', '444'],
      ['x-forwarded-client-cert', 'By=spiffe://a;Hash=00'],
      ['x-envoy-internal', 'true'],
      ['x-envoy-retry-on', '5xx'],
      ['x-envoy-max-retries', '3'],
      ['x-envoy-upstream-rq-timeout-ms', '1'],
      ['x-envoy-original-path', '/mine'],
      ['x-envoy-original-host', 'mine.example'],
      ['x-envoy-decorator-operation', 'op'],
      ['x-envoy-expected-rq-timeout-ms', '5'],
      ['x-request-id', oneOf(random, ['11111111-2222-4333-8444-555555555555', 'mine', ''])],
      ['via', '1.1 somebody'],
      ['te', oneOf(random, ['trailers', 'gzip'])],
      ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
      ['x-weft-chain', 'http-80'],
      ...(
        [
          'x-envoy-retry-grpc-on',
          'x-envoy-retriable-status-codes',
          'x-envoy-retriable-header-names',
          'x-envoy-upstream-rq-timeout-alt-response',
          'x-envoy-upstream-rq-per-try-timeout-ms',
          'x-envoy-upstream-alt-stat-name',
          'x-envoy-upstream-stream-duration-ms',
          'x-envoy-hedge-on-per-try-timeout',
          'x-envoy-force-trace',
          'x-envoy-ip-tags',
          'x-envoy-external-address',
          'x-envoy-downstream-service-cluster',
          'x-envoy-downstream-service-node',
          'x-envoy-attempt-count',
          'x-envoy-degraded',
          'x-envoy-immediate-health-check-fail',
          'x-envoy-ratelimited',
          'x-envoy-peer-metadata',
          'x-envoy-cluster',
          'x-b3-traceid',
          'forwarded',
          'x-real-ip',
          'x-original-url',
          'x-ot-span-context',
          'x-client-trace-id',
          'x_forwarded_client_cert',
          'grpc-timeout',
          'proxy-authorization',
          'x-forwarded-scheme',
        ] as const
      )
        .filter(() => random() < 0.12)
        .map((name): Field => [name, name === 'grpc-timeout' ? '5S' : '1']),
    ],
    0.2,
  );
}
