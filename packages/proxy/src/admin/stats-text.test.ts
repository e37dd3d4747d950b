import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envoyStatsText } from './stats-text.ts';

test('metrics of Envoy get the names that they have in its /stats', () => {
  const text = envoyStatsText(
    [
      '# HELP envoy_http2_rx_reset Streams that the peer reset.',
      'envoy_http2_rx_reset 1',
      'envoy_cluster_http2_rx_reset{envoy_cluster_name="outbound|80||a"} 2',
      'envoy_cluster_upstream_cx_http2_total{envoy_cluster_name="outbound|80||a"} 3',
      'envoy_http_downstream_rq_http2_total{envoy_http_conn_manager_prefix="in"} 4',
      'envoy_http_downstream_rq_xx{envoy_response_code_class="2",envoy_http_conn_manager_prefix="in"} 5',
      'weft_on_demand_hosts 6',
    ].join('\n'),
  );
  assert.deepEqual(text.trim().split('\n').sort(), [
    'cluster.outbound|80||a.http2.rx_reset: 2',
    'cluster.outbound|80||a.upstream_cx_http2_total: 3',
    'http.in.downstream_rq_2xx: 5',
    'http.in.downstream_rq_http2_total: 4',
    'http2.rx_reset: 1',
    'weft_on_demand_hosts: 6',
  ]);
});
