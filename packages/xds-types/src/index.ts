export { Any, BinaryReader, BinaryWriter, type MessageCodec, packAny, unpackAny } from './any.ts';
export { type TypeUrl, typeUrlOf, typeUrls } from './type-url.ts';
