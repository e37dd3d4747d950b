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
    ],
    0.2,
  );
}
