import type { HttpRoutes, OutboundCluster, WorkloadIr } from '@weft/ir';
import { parseAuthority } from '../names.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ExplainedValue } from './effective.ts';
import type { ExplainedRequest } from './match-request.ts';

/** One step of a request's way. */
export interface ExplainedStep {
  /** `listener`, `host`, `route`, `action`, `destination`, `endpoints`. */
  readonly title: string;
  /** What was found, one sentence. */
  readonly result: string;
  /** Where that is written, as in {@link ExplainedValue}. */
  readonly origin: string;
  /** What was looked at before, and why it was not taken. */
  readonly passedOver: readonly ExplainedValue[];
  /** What is in force here. */
  readonly values: readonly ExplainedValue[];
}

/** A request on its way through the configuration of one proxy. */
export interface Walk {
  readonly state: MeshState;
  readonly proxyKey: string;
  /** Who sends: the workload, or the gateway in the place of its clients. */
  readonly client: Client;
  readonly ir: WorkloadIr;
  readonly request: ExplainedRequest;
  /** By name: those of the proxy, and those of a virtual host that it has not asked for yet. */
  readonly clusters: Map<string, OutboundCluster>;
  /** What was seen so far. */
  readonly steps: ExplainedStep[];
}

/** An authority taken apart, in lower case; an IPv6 address keeps its brackets. */
export function hostAndPort(authority: string): { readonly host: string; readonly port: number | undefined } {
  return parseAuthority(authority) ?? { host: authority.toLowerCase(), port: undefined };
}

/** The routes of a host, and for whom they were made. */
export interface RoutesOfHost {
  readonly routes: HttpRoutes;
  readonly port: number;
  /** At a gateway one for each of its Gateways. */
  readonly clients: readonly Client[];
  /** Where routes are from that no rule made. */
  readonly otherwise: string;
}

export function addStep(
  { steps }: Walk,
  title: string,
  result: string,
  origin: string,
  more: Partial<Pick<ExplainedStep, 'passedOver' | 'values'>> = {},
): void {
  steps.push({ title, result, origin, passedOver: more.passedOver ?? [], values: more.values ?? [] });
}
