import type { OriginRef } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { originOf } from '../origin.ts';

/** One value that is in force. */
export interface ExplainedValue {
  readonly name: string;
  readonly value: string;
  /** Where it comes from: `DestinationRule shop/reviews spec.trafficPolicy.tls`, or `default (Istio)`. Empty: it is no setting. */
  readonly origin: string;
}

export interface ExplainedSection {
  readonly title: string;
  readonly values: readonly ExplainedValue[];
}

/** The values in force for a service or for the proxy of a workload. */
export interface EffectiveExplanation {
  /** `Service shop/reviews`, `Proxy shop/reviews-v1`. */
  readonly subject: string;
  /** Whose view it is: `shop/web-1`, or any workload of a namespace. */
  readonly from: string;
  readonly sections: readonly ExplainedSection[];
}

/** What nobody said: the mesh's default, which is Istio's. */
export const meshDefault = 'default (Istio)';

/** `VirtualService shop/reviews`, and a path in it. */
export function originText(object: KubeObject, path = ''): string {
  return refText(originOf(object)) + (path === '' ? '' : ` ${path}`);
}

export function refText({ kind, namespace, name }: OriginRef): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}

/** `1.5 s`, `250 ms`; 0 and undefined are `none`. */
export function timeText(ms: number | undefined): string {
  return ms === undefined || ms === 0 ? 'none' : ms % 100 === 0 && ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`;
}
