import type { Plays } from '../support/scenario.ts';
export const clientPlays: Plays = {};
