import { anyHost, type Configuration, chance, oneOf } from './support/configuration.ts';
import { compareProxies } from './support/run.ts';

/** Answers take 1.2 s or none; what is limited is limited to half a second. */
const slow = [['x-backend-delay', '1200']] as const;

const durations: Configuration = {
  name: 'durations',
  clusters: ['one'],
  manager: { common_http_protocol_options: { max_stream_duration: '5s' } },
  routes: {
    virtual_hosts: [
      anyHost([
        { name: 'timeout', match: { prefix: '/timeout' }, route: { cluster: 'one', timeout: '0.5s' } },
        { name: 'idle', match: { prefix: '/idle' }, route: { cluster: 'one', timeout: '0s', idle_timeout: '0.5s' } },
        {
          name: 'duration',
          match: { prefix: '/duration' },
          route: { cluster: 'one', timeout: '0s', max_stream_duration: { max_stream_duration: '0.5s' } },
        },
        {
          name: 'grpc',
          match: { prefix: '/grpc' },
          route: {
            cluster: 'one',
            timeout: '0s',
            max_stream_duration: {
              max_stream_duration: '3s',
              grpc_timeout_header_max: '0.7s',
              grpc_timeout_header_offset: '0.1s',
            },
          },
        },
        { name: 'none', match: { prefix: '/' }, route: { cluster: 'one', timeout: '0s' } },
      ]),
    ],
  },
  share: 0.2,
  generate: (random) => ({
    method: oneOf(random, ['GET', 'POST']),
    path: oneOf(random, ['/timeout', '/idle', '/duration', '/grpc', '/']),
    host: 'shop.example',
    headers: [
      ...(chance(random, 0.4) ? slow : []),
      ...(chance(random, 0.4) ? ([['content-type', 'application/grpc']] as const) : []),
      ...(chance(random, 0.5) ? ([['grpc-timeout', oneOf(random, ['500m', '3S', '50u', 'x'])]] as const) : []),
    ],
  }),
};

/** What a gateway says where a client uses a connection for a host that another listener has: 421, by virtual hosts for those. */
const misdirected: Configuration = {
  name: 'misdirected',
  clusters: ['one'],
  routes: {
    virtual_hosts: [
      {
        name: 'own',
        domains: ['own.example'],
        routes: [{ name: 'own', match: { prefix: '/' }, route: { cluster: 'one' } }],
      },
      {
        name: 'others',
        domains: ['*.other.example', 'other.example'],
        routes: [{ name: 'misdirected', match: { prefix: '/' }, direct_response: { status: 421 } }],
      },
    ],
  },
  downstream: 'http2',
  share: 0.2,
  generate: (random) => ({
    method: oneOf(random, ['GET', 'POST', 'HEAD']),
    path: '/',
    host: oneOf(random, ['own.example', 'other.example', 'a.other.example', 'unknown.example']),
    headers: chance(random, 0.3) ? [['content-type', 'application/grpc']] : [],
  }),
};

compareProxies('durations and misdirected requests', [durations, misdirected]);
