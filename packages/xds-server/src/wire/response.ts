import type { TypeUrl } from '@weft/xds-types';
import { bytesField, concat, type Piece, stringField } from './pieces.ts';

export interface SotwResponseParts {
  readonly versionInfo: string;
  readonly typeUrl: TypeUrl;
  readonly nonce: string;
  readonly resources: readonly Piece[];
  readonly identifier: string;
}

export interface DeltaResponseParts extends Omit<SotwResponseParts, 'versionInfo'> {
  readonly systemVersionInfo: string;
  readonly removed: readonly string[];
}

/** envoy.service.discovery.v3.DiscoveryResponse: version_info = 1, resources = 2, type_url = 4, nonce = 5, control_plane = 6. */
export function encodeSotwResponse(parts: SotwResponseParts): Buffer {
  return concat([
    stringField(1, parts.versionInfo),
    ...parts.resources.flat(),
    stringField(4, parts.typeUrl),
    stringField(5, parts.nonce),
    bytesField(6, stringField(1, parts.identifier)),
  ]);
}

/**
 * envoy.service.discovery.v3.DeltaDiscoveryResponse: system_version_info = 1, resources = 2, type_url = 4, nonce = 5,
 * removed_resources = 6, control_plane = 7.
 */
export function encodeDeltaResponse(parts: DeltaResponseParts): Buffer {
  return concat([
    stringField(1, parts.systemVersionInfo),
    ...parts.resources.flat(),
    stringField(4, parts.typeUrl),
    stringField(5, parts.nonce),
    ...parts.removed.map((name) => stringField(6, name)),
    bytesField(7, stringField(1, parts.identifier)),
  ]);
}
