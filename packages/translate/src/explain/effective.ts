import type { Destination, OriginRef } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import type { DefaultsName } from '../defaults.ts';
import { originOf, type Place } from '../origin.ts';

/** One value that is in force. */
export interface ExplainedValue {
  readonly name: string;
  readonly value: string;
  /** Where it comes from: `DestinationRule shop/reviews spec.trafficPolicy.tls`, or `mesh default (istio)`. Empty: it is no setting. */
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

/** What nobody said and is not the same with Istio's defaults and with Envoy's. */
export function meshDefault(defaults: DefaultsName): string {
  return `mesh default (${defaults})`;
}

/** What nobody said and Istio leaves to Envoy. */
export const envoyDefault = 'default (Envoy)';

/** What a field leaves out that is Istio's, in every mesh. */
export const istioDefault = 'default (Istio)';

/** What nobody said and is ours to say. */
export const weftDefault = 'default (Weft)';

/** `VirtualService shop/reviews`, and a path in it. */
export function originText(object: KubeObject, path = ''): string {
  return refText(originOf(object)) + (path === '' ? '' : ` ${path}`);
}

/** undefined: it is written nowhere. */
export function placeText(place: Place | undefined): string | undefined {
  return place && originText(place.object, place.path);
}

export function refText({ kind, namespace, name }: OriginRef): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}

/** Several resources, each once. */
export function refTexts(origins: readonly OriginRef[]): string {
  return [...new Set(origins.map(refText))].join(', ');
}

/** Parts of a million: `12.5 %`. */
export function percentText(millionths: number): string {
  return `${millionths / 10_000} %`;
}

/** What one of several destinations gets, to a tenth of a percent. */
export function shareText({ weight }: Destination, destinations: readonly Destination[]): string {
  const total = destinations.reduce((sum, other) => sum + other.weight, 0);
  return percentText(Math.round((weight / total) * 1_000) * 1_000);
}

/** `1.5 s`, `250 ms`; 0 and undefined are `none`. */
export function timeText(ms: number | undefined): string {
  return ms === undefined || ms === 0 ? 'none' : ms % 100 === 0 && ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`;
}
