import type { TypeShortName } from '@weft/admin-api';
import { type TypeUrl, typeUrls } from '@weft/xds-types';

/** The types of resources that a proxy may have, by their short names, in the order that people list them. */
export const typeNames: readonly (readonly [TypeShortName, TypeUrl])[] = [
  ['LDS', typeUrls.listener],
  ['RDS', typeUrls.routeConfiguration],
  ['VHDS', typeUrls.virtualHost],
  ['CDS', typeUrls.cluster],
  ['EDS', typeUrls.endpoint],
  ['SDS', typeUrls.secret],
];

/** Undefined for a type that Weft does not serve. */
export function shortNameOf(typeUrl: TypeUrl): TypeShortName | undefined {
  return typeNames.find(([, url]) => url === typeUrl)?.[0];
}
