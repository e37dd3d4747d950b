import { join } from 'node:path';
import { runInPrivateNetwork } from '@weft/testkit';

await runInPrivateNetwork(join(import.meta.dirname, 'egress-gateway-tests.ts'));
