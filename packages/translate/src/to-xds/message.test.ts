import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { VirtualHost } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { create, withMessages } from './message.ts';

test('messages that are put into another one are what encoding them with it gives', () => {
  const head = create(RouteConfiguration, { name: 'routes', validateClusters: false });
  // Lengths of one, two and three bytes.
  const virtualHosts = [0, 1, 100, 127, 128, 300, 20_000].map((length) =>
    create(VirtualHost, { name: 'x'.repeat(length), domains: ['*'] }),
  );
  const bytes = withMessages(
    RouteConfiguration.encode(head).finish(),
    2,
    virtualHosts.map((host) => VirtualHost.encode(host).finish()),
  );
  assert.deepEqual(RouteConfiguration.decode(bytes), { ...RouteConfiguration.decode(bytes), ...head, virtualHosts });
  assert.equal(bytes.length, RouteConfiguration.encode({ ...head, virtualHosts }).finish().length);
});

test('with none a message stays as it is', () => {
  const head = RouteConfiguration.encode(create(RouteConfiguration, { name: 'routes' })).finish();
  assert.deepEqual([...withMessages(head, 2, [])], [...head]);
});
