import { createServer } from 'node:net';
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { MeshError } from '@weft/base';

/**
 * Binds a gRPC server.
 * @param what names the server in the error.
 * @returns the port.
 * @throws MeshError `PORT_IN_USE`, `PERMISSION_DENIED`.
 */
export async function bindGrpc(
  server: Server,
  credentials: ServerCredentials,
  at: { readonly host: string; readonly port: number; readonly what: string; readonly flag: string },
): Promise<number> {
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  try {
    return await new Promise<number>((resolve, reject) => {
      server.bindAsync(`${host}:${at.port}`, credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
  } catch (error) {
    // gRPC says what happened only in words: the same bind without it gives the system's error code.
    const reason = (await probe(at.host, at.port)) ?? error;
    throw portError(reason, at);
  }
}

/** What to say when a socket cannot be bound. */
export function portError(
  error: unknown,
  at: { readonly host: string; readonly port: number; readonly what: string; readonly flag: string },
): MeshError {
  const cause = MeshError.from(error);
  if (cause.code === 'PORT_IN_USE') {
    return new MeshError('PORT_IN_USE', `port ${at.port} on ${at.host}, for ${at.what}, is taken by another program`, {
      cause: error,
      hint: `Stop the program that holds the port (\`ss -ltnp 'sport = :${at.port}'\` names it) or choose another one with ${at.flag}.`,
      details: { port: at.port, host: at.host },
    });
  }
  return new MeshError(cause.code, `cannot listen on ${at.host}:${at.port} for ${at.what}: ${cause.message}`, {
    cause: error,
  });
}

function probe(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = createServer();
    socket.once('error', resolve);
    socket.listen({ host, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}
