import { type TypeUrl, typeUrls } from '@weft/xds-types';

/** One step of the order in which a change is made known. */
export interface Step {
  readonly typeUrl: TypeUrl;
  readonly part: 'upserts' | 'removals' | 'all';
  /** The step answers requests that follow from an earlier type: names asked for since are not held back by its ACK. */
  readonly followsRequests: boolean;
}

/**
 * Make before break (xDS protocol, "Eventual consistency considerations"): clusters and what they need, then listeners, routes
 * and virtual hosts that use them, and only then are clusters and endpoints taken away. Listeners and routes lose and gain in
 * one step: a new listener may need the address of the one that goes.
 */
export const steps: readonly Step[] = [
  { typeUrl: typeUrls.cluster, part: 'upserts', followsRequests: false },
  { typeUrl: typeUrls.endpoint, part: 'upserts', followsRequests: true },
  { typeUrl: typeUrls.secret, part: 'upserts', followsRequests: true },
  { typeUrl: typeUrls.listener, part: 'all', followsRequests: false },
  { typeUrl: typeUrls.routeConfiguration, part: 'all', followsRequests: true },
  { typeUrl: typeUrls.virtualHost, part: 'all', followsRequests: false },
  { typeUrl: typeUrls.cluster, part: 'removals', followsRequests: false },
  { typeUrl: typeUrls.endpoint, part: 'removals', followsRequests: false },
  { typeUrl: typeUrls.secret, part: 'removals', followsRequests: false },
];

/** Place of pushes that are outside the order and hold nothing back: changed endpoints of known clusters, heartbeats. */
export const outsideTheOrder: number = steps.length;

/** The types a client may ask for. */
export const servedTypes: ReadonlySet<string> = new Set(Object.values(typeUrls));
