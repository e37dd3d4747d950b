import type { Socket } from 'node:net';
import { httpVersionOfAlpn } from '../http-alpn.ts';
import type { DownstreamTls, FilterChain } from '../runtime-config/config.ts';
import type { HandshakeCallbacks, HandshakeContext } from '../tls/handshake.ts';
import { NativeServerHandshake } from '../tls/native-server-handshake.ts';
import { alpnWire } from '../tls/native-tls.ts';
import { StreamTlsServer } from '../tls/stream-server.ts';
import type { TlsContexts } from '../tls/tls-context.ts';

/**
 * Terminates TLS for one filter chain. New secrets are used for new connections; established sessions and handshakes under way go on under
 * the old ones.
 */
export class TlsAcceptor {
  readonly #tls: DownstreamTls;
  readonly #contexts: TlsContexts;
  readonly #alpn: readonly string[];
  readonly #alpnWire: Buffer;
  readonly #streams: StreamTlsServer;

  constructor(chain: FilterChain, tls: DownstreamTls, contexts: TlsContexts) {
    this.#tls = tls;
    this.#contexts = contexts;
    // Only what the filter behind it can speak may be agreed on.
    const { filter } = chain;
    const spoken = filter.kind === 'tcp-proxy' || filter.codec === 'auto' ? undefined : filter.codec;
    this.#alpn = tls.alpn.filter((name) => spoken === undefined || (httpVersionOfAlpn(name) ?? spoken) === spoken);
    this.#alpnWire = alpnWire(this.#alpn);
    this.#streams = new StreamTlsServer(tls, contexts);
  }

  /**
   * @param socket paused; what it has read is part of the handshake.
   * @param serverName that the client wants, as far as it was looked at.
   * @param offered the client's ALPN names. Without a common one the handshake goes on without ALPN, as in Envoy.
   */
  accept(
    context: HandshakeContext,
    socket: Socket,
    serverName: string,
    offered: readonly string[],
    callbacks: HandshakeCallbacks,
  ): void {
    const material = this.#contexts.get(this.#tls, serverName);
    if ('missing' in material) {
      callbacks.onFailed(`TLS_error: waiting for ${material.missing.join(', ')}`);
      return;
    }
    const common = this.#alpn.some((name) => offered.includes(name));
    const { native } = this.#contexts;
    if (native === undefined) {
      this.#streams.accept(context, socket, material, common ? this.#alpn : undefined, callbacks);
    } else {
      const handshake = new NativeServerHandshake(
        native,
        context,
        this.#contexts,
        this.#tls,
        material,
        socket,
        callbacks,
      );
      handshake.start(common ? this.#alpnWire : undefined);
    }
  }
}
