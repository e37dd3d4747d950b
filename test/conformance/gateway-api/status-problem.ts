import { eventually } from '@weft/testkit';
import type { ConformanceMesh } from './conformance-mesh.ts';
import { statusJudge } from './judge-status.ts';

/** How long a status may take; the data allows 60 s. */
const statusTimeoutMs = 20_000;

/** What is wrong with what a sentence asks for when time is up. */
export async function statusProblem(mesh: ConformanceMesh, sentence: string): Promise<string | undefined> {
  const judge = statusJudge(sentence);
  let problem: string | undefined;
  try {
    await eventually(
      async () => {
        problem = await judge(mesh.resources);
        return problem === undefined;
      },
      { what: sentence, timeoutMs: statusTimeoutMs, intervalMs: 50 },
    );
    return undefined;
  } catch (error) {
    return `${sentence}: ${problem ?? (error as Error).message}`;
  }
}
