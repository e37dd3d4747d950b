import type { WorkloadIr } from '@weft/ir';
import type { MeshState } from './state/mesh-state.ts';
import type { XdsMessage } from './to-xds/message.ts';
import { secretMessages } from './to-xds/secrets.ts';
import { xdsFromIr } from './to-xds/xds-from-ir.ts';

/** All that one proxy is sent except endpoints: what its IR comes to, and the secrets that this refers to. The same array as long as nothing differs. */
export function proxyMessages(state: MeshState, proxyKey: string, ir: WorkloadIr): readonly XdsMessage[] {
  const messages = xdsFromIr(ir);
  const secrets = secretMessages(state, ir);
  return secrets.length === 0
    ? messages
    : state.memo.get(`messages|${proxyKey}`, [messages, ...secrets] as const, ([first, ...more]) => [
        ...first,
        ...more,
      ]);
}
