import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@weft/base';
import { assignment, endpoint } from '../../test/support/configs.ts';
import type { ClusterEndpoints } from '../runtime-config/config.ts';
import type { DnsAnswer } from './dns-resolver.ts';
import { StrictDns } from './strict-dns.ts';

function addressesOf(endpoints: ClusterEndpoints): string[] {
  return endpoints.localities.flatMap((locality) =>
    locality.endpoints.map(({ address }) => (address.kind === 'ip' ? `${address.address}:${address.port}` : '')),
  );
}

test('names become addresses; a change is told, a failure keeps the last ones', async (t) => {
  const answers: (DnsAnswer | Error)[] = [
    { addresses: ['10.0.0.2', '10.0.0.1'], ttlSec: undefined },
    { addresses: ['10.0.0.1', '10.0.0.2'], ttlSec: undefined },
    new Error('SERVFAIL'),
    { addresses: ['10.0.0.3'], ttlSec: undefined },
  ];
  const told: string[][] = [];
  let asked = 0;
  const dns = await new Promise<StrictDns>((resolve) => {
    const resolver: StrictDns = new StrictDns({
      endpoints: assignment('dns', [
        endpoint(80, { address: { kind: 'ip', address: 'books.example', port: 80 } }),
        endpoint(81),
      ]),
      refreshMs: 5,
      respectTtl: false,
      clock: systemClock,
      resolve: (name) => {
        assert.equal(name, 'books.example');
        const answer = answers[Math.min(asked, answers.length - 1)] ?? new Error('none');
        asked += 1;
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      onEndpoints: (endpoints) => {
        told.push(addressesOf(endpoints));
        if (told.length === 2) {
          resolve(resolver);
        }
      },
    });
    resolver.start();
  });
  t.after(() => dns.stop());
  assert.deepEqual(told, [
    ['10.0.0.1:80', '10.0.0.2:80', '127.0.0.1:81'],
    ['10.0.0.3:80', '127.0.0.1:81'],
  ]);
  assert.ok(asked >= 4);
});
