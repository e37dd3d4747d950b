import { systemClock } from '@weft/base';
import { createGrpcChannel } from '../../../src/grpc/channel.ts';
import { facts, reportWhenIdle } from './facts.ts';
import { firstRequest } from './first-request.ts';

const { port, ca, cert, key } = facts;
const channel = createGrpcChannel({
  address: { host: '127.0.0.1', port },
  credentials: () => ({ kind: 'tls', tls: { ca, cert, key } }),
  clock: systemClock,
});
let ready = false;
channel
  .open('/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources', {
    onMessage: () => {
      ready = true;
    },
    onEnd: () => {
      ready = false;
    },
  })
  .write(firstRequest);
reportWhenIdle(() => ready);
