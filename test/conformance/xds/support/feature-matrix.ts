/** Scenarios of features that Weft does not offer, each with the reason. Only MAY scenarios may stand here. */
export const notOffered: Readonly<Record<string, string>> = {
  'grpc-federation-name':
    'xdstp:// names and authorities: there is one control plane and one authority; such a name does not exist for us',
  'server-error-per-resource':
    'resource_errors of gRFC A88 is not in the pinned protos; a resource that cannot be given does not exist',
  'server-error-keeps-cache': 'resource_errors of gRFC A88 is not in the pinned protos',
  'rest-fetch': 'no REST-JSON polling: no client of ours and no current Envoy deployment needs it',
  'ignore-deletion-option':
    'deleted means deleted for listeners and clusters; what a used resource references is kept in any case',
};
