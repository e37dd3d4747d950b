import { seededRandom } from '@weft/testkit';
import { spoilt } from '/work/main/test/fuzz/http2-mutation.ts';
import { ask, judge, serve } from '/work/main/test/fuzz/http2-reading.ts';
import { runScenario } from '/work/main/test/fuzz/http2-scenario.ts';
import { writeFileSync } from 'node:fs';
const seed=20260102; const random=seededRandom(seed); let source=Buffer.alloc(0);
for (let index=0; index<50000; index++){
  if(index%40===0){ source=runScenario(seededRandom(seed+index)).down; }
  const bytes=spoilt(random,source,0);
  try { judge(ask,bytes,random); } catch(e){ console.log(index, String((e as Error).message).slice(0,800), bytes.length); writeFileSync('/tmp/weft/guard/bad.hex',bytes.toString('hex')); break; }
}
