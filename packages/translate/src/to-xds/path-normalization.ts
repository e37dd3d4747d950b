import type { PathNormalization } from '@weft/ir';
import {
  type HttpConnectionManager,
  HttpConnectionManager_PathWithEscapedSlashesAction,
} from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';

type PathFields = Partial<
  Pick<HttpConnectionManager, 'normalizePath' | 'mergeSlashes' | 'pathWithEscapedSlashesAction'>
>;

/** As Istio has them; what Envoy does by default is said outright, as its runtime could change it. */
const { KEEP_UNCHANGED, UNESCAPE_AND_FORWARD } = HttpConnectionManager_PathWithEscapedSlashesAction;

export const pathFields: Readonly<Record<PathNormalization, PathFields>> = {
  none: { normalizePath: false },
  base: { normalizePath: true },
  'merge-slashes': { normalizePath: true, mergeSlashes: true, pathWithEscapedSlashesAction: KEEP_UNCHANGED },
  'decode-and-merge-slashes': {
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: UNESCAPE_AND_FORWARD,
  },
};
