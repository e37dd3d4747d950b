import { checkHostPatternOrAddress } from '../../format/hosts.ts';
import { isLabel } from '../../format/names.ts';
import type { Place } from '../../place.ts';
import { checkPortNumber } from './istio-checks.ts';
import type { Destination } from './virtual-service.ts';

/** Largest sum of weights that Envoy's weighted clusters hold. */
const weightSumMax = 4_294_967_295;

/** A subset's name: letters of both cases, digits, `-`, `_` and `.`. */
export function checkSubsetName(place: Place, name: string): void {
  const valid = name.length <= 63 && (isLabel(name) || /^[a-zA-Z0-9]([-_.a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(name));
  if (!valid) {
    place.invalid(name, 'not the name of a subset', 'Use letters, digits and `-`, at most 63 of them, such as v1.');
  }
}

export function checkDestination(place: Place, destination: Destination): void {
  const { host, subset, port } = destination;
  if (host === '') {
    place.at('host').required('the host is empty', 'Name a service.');
  } else if (host === '*') {
    place.at('host').invalid(host, 'a destination is one host', 'Name a service.');
  } else {
    checkHostPatternOrAddress(place.at('host'), host);
  }
  if (subset !== undefined && subset !== '') {
    checkSubsetName(place.at('subset'), subset);
  }
  if (port !== undefined) {
    if (port.number === undefined) {
      place.at('port', 'number').required('the number is missing', 'Add the number of the port, or remove `port`.');
    } else {
      checkPortNumber(place.at('port', 'number'), port.number);
    }
  }
}

interface Weighted {
  readonly weight?: number | undefined;
}

/** Weights are not negative, and of several destinations at least one has some. */
export function checkWeights(place: Place, route: readonly Weighted[]): void {
  let sum = 0;
  for (const [index, { weight = 0 }] of route.entries()) {
    if (weight < 0) {
      place.at(index, 'weight').invalid(weight, 'a weight must not be negative', 'Use 0 or more.');
    }
    sum += Math.max(0, weight);
  }
  if (route.length > 1 && sum === 0) {
    place.report(
      'FieldValueInvalid',
      `the weights of the ${route.length} destinations sum up to 0, so none of them would get anything`,
      'Give at least one destination a weight, such as 100.',
    );
  }
  if (sum > weightSumMax) {
    place.report(
      'FieldValueInvalid',
      `the weights sum up to ${sum}, at most ${weightSumMax} is possible`,
      'Use smaller weights.',
    );
  }
}
