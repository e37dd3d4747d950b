import { ProxyHarness } from './support/proxy-harness.ts';

/** The tests of what connections do, once more for versions of Node whose handles are not those that we know. */
ProxyHarness.portable = true;

await import('./tcp-proxy.test.ts');
await import('./tcp-endings.test.ts');
await import('./tcp-mutual-tls.test.ts');
await import('./backpressure.test.ts');
await import('./disconnects.test.ts');
await import('./keep-alive.test.ts');
