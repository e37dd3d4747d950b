import type { KubeObject } from '@weft/resources';
import type { ConformanceMesh } from './conformance-mesh.ts';
import type { ConformanceTest } from './conformance-tests.ts';
import { replay } from './replay.ts';
import { statusProblem } from './status-problem.ts';
import { stepsOf } from './steps.ts';

/** How long all rows of a test may take: where nothing works, each would take its full time. */
const casesTimeoutMs = 60_000;

/** What does not hold of a test, by the number of the row or sentence: `case 3`, `status 0`, `step`. */
export type Failures = ReadonlyMap<string, string>;

/** Plays one test of the data from applying its manifests to taking them back. */
export async function runTest(mesh: ConformanceMesh, test: ConformanceTest): Promise<Failures> {
  const failures = new Map<string, string>();
  const note = (what: string, problem: string | undefined): void => {
    if (problem !== undefined) {
      failures.set(what, problem);
    }
  };
  let objects: readonly KubeObject[] = [];
  try {
    objects = await mesh.add(test.folder, test.manifests);
    const steps = stepsOf(test, mesh);
    await steps.beforeChecks?.().catch((error: Error) => note('step', error.message));
    await Promise.all(
      test.statusExpectations
        .filter((_, index) => steps.appliesTo?.(index) !== false)
        .map(async (sentence) => {
          note(`status ${test.statusExpectations.indexOf(sentence)}`, await statusProblem(mesh, sentence));
        }),
    );
    const deadline = performance.now() + casesTimeoutMs;
    for (const [index, row] of test.cases.entries()) {
      await steps.beforeCase?.(index);
      const problem =
        performance.now() > deadline
          ? 'the cases before took too long'
          : await replay(mesh, row).catch((error: Error) => error.message);
      note(`case ${index}`, problem);
    }
    if (failures.size > 0) {
      note('output', mesh.gateways.output());
    }
  } finally {
    await mesh.remove(objects);
  }
  return failures;
}
