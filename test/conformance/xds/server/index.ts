import type { Plays } from '../support/scenario.ts';
import { ackPlays } from './ack.ts';
import { deltaPlays } from './delta.ts';
import { orderingPlays } from './ordering.ts';
import { proxylessPlays } from './proxyless.ts';
import { reconnectPlays } from './reconnect.ts';
import { streamPlays } from './stream.ts';
import { subscriptionPlays } from './subscription.ts';
import { wildcardPlays } from './wildcard.ts';

/** Everything the server is tested for, by scenario id. */
export const serverPlays: Plays = {
  ...streamPlays,
  ...ackPlays,
  ...subscriptionPlays,
  ...wildcardPlays,
  ...orderingPlays,
  ...deltaPlays,
  ...reconnectPlays,
  ...proxylessPlays,
};
