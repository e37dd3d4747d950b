export { createInformer, type Informer, type InformerOptions, objectKey } from './informer.ts';
export type { ApiConnection } from './rest/connection.ts';
export { readKubeconfig } from './rest/kubeconfig.ts';
export { createRestClient, type RestClient, type RestClientOptions } from './rest/rest-client.ts';
