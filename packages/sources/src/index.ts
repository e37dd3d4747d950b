export { createInformer, type Informer, type InformerOptions, objectKey } from './informer.ts';
