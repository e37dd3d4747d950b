import assert from 'node:assert/strict';
import { eventually } from '@weft/testkit';
import type { Echo } from './backends.ts';
import type { ConformanceMesh } from './conformance-mesh.ts';
import { coalescingPorts, MisdirectedCases } from './misdirected-cases.ts';

/** What a gateway answers to requests that came by the connection of another listener. */
export async function playMisdirected(mesh: ConformanceMesh): Promise<void> {
  const cases = await MisdirectedCases.start(mesh);
  const status = async (...request: Parameters<MisdirectedCases['http1']>): Promise<number> =>
    (await cases.http1(...request)).status;
  for (const port of coalescingPorts) {
    for (const host of ['one.example.net', 'two.example.net', 'x.example.net']) {
      await eventually(async () => (await status(port, host, host)) === 200, {
        what: `${host} at port ${port}`,
      });
    }
    const authorities = [
      'one.example.net',
      'two.example.net',
      'x.example.net',
      `one.example.net:${port}`,
      'example.org',
    ];
    const expected = [200, 421, 421, 200, 404];
    assert.deepEqual(await cases.http2(port, 'one.example.net', authorities), expected, `HTTP/2 at port ${port}`);
    const one = await Promise.all(authorities.map((host) => status(port, 'one.example.net', host)));
    assert.deepEqual(one, expected, `HTTP/1.1 at port ${port}`);
    // The listener for more hosts leaves theirs to the others, and has all else.
    const wild = ['one.example.net', 'x.example.net', 'y.example.net', 'example.org'];
    assert.deepEqual(await cases.http2(port, 'x.example.net', wild), [421, 200, 200, 404], `*.example.net at ${port}`);
    const forged = { 'x-weft-chain': cases.chain(port, 1), connection: 'x-weft-chain' };
    assert.equal(await status(port, 'one.example.net', 'two.example.net', forged), 421, 'clients cannot say it');
    const { body } = await cases.http1(port, 'one.example.net', 'one.example.net');
    const { headers } = JSON.parse(body) as Echo;
    assert.deepEqual(
      Object.keys(headers).filter((header) => header.toLowerCase() === 'x-weft-chain'),
      [],
      'backends do not see it',
    );
  }
}
