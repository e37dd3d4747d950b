import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateObject } from '../validate-object.ts';

const shapes = {
  Service: { apiVersion: 'v1', spec: { ports: [{ port: 80 }] } },
  ServiceEntry: {
    apiVersion: 'networking.istio.io/v1',
    spec: { hosts: ['a.example'], resolution: 'DNS', ports: [{ number: 80, name: 'http', protocol: 'HTTP' }] },
  },
} as const;

for (const [kind, shape] of Object.entries(shapes)) {
  test(`a ${kind} may ask for peak EWMA, and for nothing else`, () => {
    const said = (value: string): unknown => {
      const metadata = { name: 'a', namespace: 'default', annotations: { 'weft.dev/load-balancer': value } };
      return validateObject({ ...shape, kind, metadata }).violations?.map(({ path }) => path);
    };
    assert.equal(said('peak-ewma'), undefined);
    for (const value of ['PEAK_EWMA', 'round-robin', '']) {
      assert.deepEqual(said(value), ['metadata.annotations[weft.dev/load-balancer]']);
    }
  });
}
