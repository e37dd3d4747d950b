import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { GatewayClass } from './gateway-class.ts';

export function validateGatewayClassUpdate({ spec }: GatewayClass, previous: GatewayClass): Violation[] {
  const root = Place.root();
  if (spec.controllerName !== previous.spec.controllerName) {
    root
      .at('spec', 'controllerName')
      .forbidden(
        `it is ${previous.spec.controllerName} and cannot be changed`,
        'Make another GatewayClass for another controller.',
      );
  }
  return root.violations;
}
