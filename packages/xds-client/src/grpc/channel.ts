import type { ConnectionOptions } from 'node:tls';

export type GrpcAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** `plaintext` for tests and Unix sockets only. With `tls`: the options of `tls.connect` (ca, cert, key, servername, checkServerIdentity). */
export type ClientCredentials =
  | { readonly kind: 'plaintext' }
  | {
      readonly kind: 'tls';
      readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'checkServerIdentity'>;
    };

export interface GrpcChannel {
  readonly connected: boolean;
}
