import type { Plays } from '../support/scenario.ts';
import { answerPlays } from './answers.ts';
import { statePlays } from './state.ts';
import { streamPlays } from './stream.ts';
import { warmingPlays } from './warming.ts';

/** Everything the client is tested for, by scenario id. */
export const clientPlays: Plays = { ...answerPlays, ...statePlays, ...warmingPlays, ...streamPlays };
