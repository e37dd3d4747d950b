import { silentLogger, systemClock } from '@weft/base';
import { typeUrls } from '@weft/xds-types';
import { createLoadReporter, createXdsClient } from '../../../src/index.ts';
import { facts, reportWhenIdle } from './facts.ts';
import { node } from './first-request.ts';

const { port, ca, cert, key } = facts;
let received = 0;
const client = createXdsClient({
  address: { host: '127.0.0.1', port },
  credentials: () => ({ kind: 'tls', tls: { ca, cert, key } }),
  node,
  types: [
    {
      typeUrl: typeUrls.cluster,
      subscription: 'wildcard',
      decode: (_name, bytes) => ({ ok: bytes.length }),
      nameOf: () => undefined,
    },
  ],
  cacheFile: `${process.argv[2]}.cache`,
  clock: systemClock,
  logger: silentLogger,
  onUpdate: ({ changes }) => {
    received += changes.length;
  },
});
await client.start();
createLoadReporter({
  channel: client.channel,
  node,
  clock: systemClock,
  logger: silentLogger,
  collect: () => [],
}).start();
reportWhenIdle(() => received === 100);
