import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientPlays } from './client/index.ts';
import { serverPlays } from './server/index.ts';
import { notOffered } from './support/feature-matrix.ts';
import { loadScenarios, scenariosSkip, variantsOf } from './support/scenario.ts';

const scenarios = loadScenarios();
const plays = { server: serverPlays, client: clientPlays };

describe('xDS conformance', { skip: scenariosSkip }, () => {
  it('plays every scenario of the data, and no other', () => {
    assert.equal(scenarios.length, 147, 'the number of scenarios changed');
    for (const { id, role, level } of scenarios) {
      const declared = notOffered[id];
      if (declared === undefined) {
        assert.ok(plays[role][id] !== undefined, `${id} (${role}) is neither played nor declared as not offered`);
      } else {
        assert.equal(level, 'MAY', `${id} is ${level}: it may not be left out`);
        assert.equal(plays[role][id], undefined, `${id} is played and declared as not offered`);
      }
    }
    const known = new Set(scenarios.map(({ id }) => id));
    const unknown = [serverPlays, clientPlays, notOffered].flatMap(Object.keys).filter((id) => !known.has(id));
    assert.deepEqual(unknown, []);
  });

  for (const scenario of scenarios) {
    const play = plays[scenario.role][scenario.id];
    if (play === undefined) {
      continue;
    }
    for (const variant of variantsOf(scenario)) {
      it(`${scenario.id} (${scenario.role}, ${variant}, ${scenario.level}): ${scenario.then}`, () => play(variant));
    }
  }
});
