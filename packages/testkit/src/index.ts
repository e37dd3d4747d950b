export { createTestApi, type TestApi } from './api-client.ts';
export { type Background, type Finished, type RunOptions, run, startBackground } from './child.ts';
export { connectionOwners } from './connection-owner.ts';
export { type DnsServer, startDnsServer } from './dns-server.ts';
export { eventually } from './eventually.ts';
export { freePort } from './free-port.ts';
export { ManualClock } from './manual-clock.ts';
export {
  type ControlPlaneFacts,
  type MeshOptions,
  programs,
  startMesh,
  type TestMesh,
  type TestWorkload,
} from './mesh.ts';
export { conformanceData, findPeer, grpcPython, type PeerName, peerSkip } from './peer.ts';
export { replaceFile, runInPrivateNetwork } from './private-network.ts';
export { childPids, isRunning, processStat } from './process-tree.ts';
export { seededRandom } from './seeded-random.ts';
