import type { ListenAddress } from '@weft/ir';
import type { MeshState } from '../state/mesh-state.ts';
import { clientOf } from '../to-ir/workload-ir.ts';
import { originText } from './effective.ts';

/** Who has a workload's proxy listen at a socket for what the workload sends: its Proxy, or the Sidecar that it goes by. */
export function socketOrigin(state: MeshState, proxyKey: string, { address, port }: ListenAddress): string {
  const { shared = [], upstreams = [] } = state.listenersOf(proxyKey) ?? {};
  const found = [...shared, ...upstreams].find(
    ({ listenAddress = '127.0.0.1', listenPort }) => listenAddress === address && listenPort === port,
  );
  const sidecar = clientOf(state, proxyKey).scope?.sidecar;
  if (found?.field !== undefined && sidecar !== undefined) {
    return originText(sidecar, found.field);
  }
  const proxy = state.proxy(proxyKey);
  const field = found === undefined ? 'spec.httpProxy' : 'spec.upstreams';
  return proxy === undefined ? '' : originText(proxy, field);
}
