import type { Place } from '../place.ts';

/** On a Service or ServiceEntry: how its callers balance where no DestinationRule says. Neither Kubernetes nor Istio has a field for it. */
export const loadBalancerAnnotation = 'weft.dev/load-balancer';

/** @param root the place of the object. */
export function checkLoadBalancerAnnotation(
  root: Place,
  annotations: Readonly<Record<string, string>> | undefined,
): void {
  const value = annotations?.[loadBalancerAnnotation];
  if (value !== undefined && value !== 'peak-ewma') {
    root
      .at('metadata', 'annotations', loadBalancerAnnotation)
      .invalid(value, 'not a way of balancing', 'Write peak-ewma; for all others use a DestinationRule.');
  }
}
