import type { CompiledRoute } from '../../route/route-table.ts';
import { withoutPort } from '../../route/route-table.ts';
import type { MirrorPolicy } from '../../runtime-config/config.ts';
import type { HttpStream } from './http-stream.ts';
import { MirrorRequest } from './mirror-request.ts';
import { firstValue } from './route-choice.ts';

/** Begins the copies of a request whose head is ready to go out. Tunnels are not copied. */
export function startMirrors(stream: HttpStream, route: CompiledRoute): void {
  const policies = route.mirrors ?? stream.table?.config.mirrors;
  if (
    policies === undefined ||
    policies.length === 0 ||
    stream.head.upgrade !== '' ||
    stream.head.method === 'CONNECT'
  ) {
    return;
  }
  for (const policy of policies) {
    if (policy.fraction >= 1_000_000 || stream.random() * 1_000_000 < policy.fraction) {
      startMirror(stream, route, policy);
    }
  }
}

function startMirror(stream: HttpStream, { forward }: CompiledRoute, policy: MirrorPolicy): void {
  const { manager, head, body, filters, info } = stream;
  const name = policy.cluster.kind === 'name' ? policy.cluster.name : firstValue(stream, policy.cluster.header);
  const cluster = name === undefined ? undefined : manager.context.clusters.get(name);
  if (cluster === undefined) {
    return;
  }
  const { mirror: counters } = manager.counters;
  const mirror = new MirrorRequest(
    manager.context,
    counters,
    cluster,
    cluster.breaker(forward?.priority ?? 'default'),
    head,
  );
  if (policy.shadowSuffix) {
    mirror.head.setAuthority(shadowHost(head.authority));
  }
  if (mirror.head.targetScheme === '') {
    mirror.head.targetScheme = info.scheme;
  }
  mirror.start(forward?.timeoutMs ?? 0, info.protocol === 'HTTP/2');
  if (head.hasBody) {
    body.replay(mirror);
    if (stream.requestComplete) {
      mirror.onEnd(body.trailers);
    } else {
      filters.mirrors.push(mirror);
    }
  }
}

/** `host-shadow:port` */
function shadowHost(authority: string): string {
  const host = withoutPort(authority);
  return `${host}-shadow${authority.slice(host.length)}`;
}
