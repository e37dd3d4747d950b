import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { conformanceData } from '@weft/testkit';
import type { Variant } from './session.ts';

/** One row of `scenarios.json`. */
export interface Scenario {
  readonly id: string;
  readonly area: string;
  readonly variant: Variant | 'both';
  readonly role: 'server' | 'client';
  readonly given: string;
  readonly when: string;
  readonly then: string;
  readonly level: 'MUST' | 'SHOULD' | 'MAY';
}

/** What plays a scenario; throws when the outcome is another one. */
export type Play = (variant: Variant) => Promise<void>;

/** Plays by scenario id. */
export type Plays = Readonly<Record<string, Play>>;

const data = conformanceData('xds');

/** The `skip` option of whatever needs the scenarios: the reason when the data is not there. */
export const scenariosSkip: string | false = data.skip;

/** All scenarios; none when the data is not there. */
export function loadScenarios(): readonly Scenario[] {
  return data.skip === false
    ? (JSON.parse(readFileSync(join(data.folder, 'scenarios.json'), 'utf8')) as Scenario[])
    : [];
}

export function variantsOf(scenario: Scenario): readonly Variant[] {
  return scenario.variant === 'both' ? ['sotw', 'delta'] : [scenario.variant];
}
