import { Client, credentials } from '@grpc/grpc-js';
import { facts, reportWhenIdle } from './facts.ts';
import { firstRequest } from './first-request.ts';

const { port, ca, cert, key } = facts;
const asIs = (bytes: Buffer): Buffer => bytes;
const client = new Client(
  `127.0.0.1:${port}`,
  credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert)),
);
let ready = false;
const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
const call = client.makeBidiStreamRequest(path, asIs, asIs);
call.on('data', () => {
  ready = true;
});
call.write(Buffer.from(firstRequest));
reportWhenIdle(() => ready);
