import type { Http2Counters } from '@weft/http-codec';
import type { ManagerCounters } from '../filter/http/http-context.ts';
import { type Exposition, formatLabels } from './exposition.ts';

interface Family<T> {
  readonly name: string;
  readonly field: keyof T & string;
  readonly help: string;
  readonly type?: 'gauge';
}

const managerFamilies: readonly Family<Omit<ManagerCounters, 'fault' | 'cors' | 'mirror'>>[] = [
  { name: 'cx_http1_total', field: 'http1ConnectionsTotal', help: 'Connections that speak HTTP/1.' },
  { name: 'cx_http2_total', field: 'http2ConnectionsTotal', help: 'Connections that speak HTTP/2.' },
  { name: 'rq_http1_total', field: 'http1RequestsTotal', help: 'Requests by HTTP/1.' },
  { name: 'rq_http2_total', field: 'http2RequestsTotal', help: 'Requests by HTTP/2.' },
  { name: 'rq_max_duration_reached', field: 'maxDurationReached', help: 'Requests that lived longer than they may.' },
];

const faultFamilies: readonly Family<ManagerCounters['fault']>[] = [
  { name: 'delays_injected', field: 'delaysInjected', help: 'Requests that the fault filter delayed.' },
  { name: 'aborts_injected', field: 'abortsInjected', help: 'Requests that the fault filter answered with an error.' },
  { name: 'response_rl_injected', field: 'responsesThrottled', help: 'Answers that the fault filter slows down.' },
  { name: 'faults_overflow', field: 'overflow', help: 'Faults left out because there were too many.' },
  { name: 'active_faults', field: 'active', help: 'Requests that have a fault now.', type: 'gauge' },
];

const corsFamilies: readonly Family<ManagerCounters['cors']>[] = [
  { name: 'origin_valid', field: 'originValid', help: 'Requests of origins that may read the answer.' },
  { name: 'origin_invalid', field: 'originInvalid', help: 'Requests of other origins.' },
];

const mirrorFamilies: readonly Family<ManagerCounters['mirror']>[] = [
  { name: 'requests_total', field: 'started', help: 'Copies of requests that were sent to mirrors.' },
  { name: 'failed_total', field: 'failed', help: 'Copies without an answer, or with one of 500 or more.' },
  { name: 'dropped_total', field: 'dropped', help: 'Copies given up because they were slower than their request.' },
];

/** What HTTP filters counted, where there was something to count. */
export function writeFilters(out: Exposition, managers: ReadonlyMap<string, ManagerCounters>): void {
  writeFamilies(out, 'envoy_http_fault', faultFamilies, managers, ({ fault }) => fault);
  writeFamilies(out, 'weft_mirror', mirrorFamilies, managers, ({ mirror }) => mirror);
  writeFamilies(out, 'envoy_http_cors', corsFamilies, managers, ({ cors }) => cors);
}

function writeFamilies<T extends { readonly [K in keyof T]: number }>(
  out: Exposition,
  prefix: string,
  families: readonly Family<T>[],
  managers: ReadonlyMap<string, ManagerCounters>,
  pick: (counters: ManagerCounters) => T,
): void {
  const used = [...managers].filter(([, counters]) => families.some(({ field }) => pick(counters)[field] !== 0));
  for (const { name, field, help, type } of used.length === 0 ? [] : families) {
    const metric = `${prefix}_${name}`;
    out.family(metric, type ?? 'counter', help);
    for (const [statPrefix, counters] of used) {
      out.sample(metric, formatLabels([['envoy_http_conn_manager_prefix', statPrefix]]), pick(counters)[field]);
    }
  }
}

/** Connections and requests by protocol, for each `stat_prefix`. */
export function writeManagers(out: Exposition, managers: ReadonlyMap<string, ManagerCounters>): void {
  for (const { name, field, help } of managerFamilies) {
    const metric = `envoy_http_downstream_${name}`;
    out.family(metric, 'counter', help);
    for (const [prefix, counters] of managers) {
      out.sample(metric, formatLabels([['envoy_http_conn_manager_prefix', prefix]]), counters[field]);
    }
  }
}

/** Envoy's names of what `Http2Counters` counts; those that Envoy has no counter for are named alike. */
const http2Families: readonly Family<Http2Counters>[] = [
  { name: 'rx_reset', field: 'rxReset', help: 'Streams that the peer reset.' },
  { name: 'tx_reset', field: 'txReset', help: 'Streams that we reset.' },
  { name: 'headers_cb_no_stream', field: 'headersCbNoStream', help: 'Heads for streams that are gone.' },
  { name: 'header_overflow', field: 'headerOverflow', help: 'Heads over the limits.' },
  { name: 'rx_messaging_error', field: 'rxMessagingError', help: 'Malformed messages.' },
  { name: 'trailers', field: 'trailers', help: 'Messages with trailers.' },
  { name: 'goaway_sent', field: 'goawaySent', help: 'GOAWAY frames sent.' },
  { name: 'stream_refused_errors', field: 'streamRefusedErrors', help: 'Streams refused, by us or the peer.' },
  { name: 'inbound_empty_frames_flood', field: 'inboundEmptyFramesFlood', help: 'Connections ended for it.' },
  { name: 'inbound_priority_frames_flood', field: 'inboundPriorityFramesFlood', help: 'Connections ended for it.' },
  {
    name: 'inbound_window_update_frames_flood',
    field: 'inboundWindowUpdateFramesFlood',
    help: 'Connections ended for it.',
  },
  { name: 'inbound_reset_frames_flood', field: 'inboundResetFramesFlood', help: 'Connections ended for rapid resets.' },
  {
    name: 'inbound_continuation_frames_flood',
    field: 'inboundContinuationFramesFlood',
    help: 'Connections ended for it.',
  },
  { name: 'outbound_flood', field: 'outboundFlood', help: 'Connections ended for frames that the peer did not take.' },
  {
    name: 'outbound_control_flood',
    field: 'outboundControlFlood',
    help: 'Connections ended for answers to control frames that the peer did not take.',
  },
  { name: 'keepalive_timeout', field: 'keepaliveTimeout', help: 'Connections ended for a PING without answer.' },
  { name: 'streams_active', field: 'streamsActive', help: 'Streams under way.', type: 'gauge' },
  {
    name: 'pending_send_bytes',
    field: 'pendingSendBytes',
    help: 'Bytes kept because a window is shut.',
    type: 'gauge',
  },
];

/** What happened on HTTP/2 connections. */
export function writeHttp2(
  out: Exposition,
  prefix: string,
  sources: readonly { readonly labels: string; readonly counters: Readonly<Http2Counters> }[],
): void {
  for (const { name, field, help, type } of http2Families) {
    out.family(`${prefix}_${name}`, type ?? 'counter', help);
    for (const { labels, counters } of sources) {
      out.sample(`${prefix}_${name}`, labels, counters[field]);
    }
  }
}
