/**
 * A gRPC server for `weft run`: `/test.Echo/Say` answers with `NAME`, its argument, and the identity of the caller as the sidecar saw it. The
 * message `flaky:ID` fails with UNAVAILABLE the first time that an ID is heard.
 */
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';

const [name = ''] = process.argv.slice(2);
const asIs = (bytes: Buffer): Buffer => bytes;
const heard = new Set<string>();
const server = new Server();
server.addService(
  {
    Say: {
      path: '/test.Echo/Say',
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  },
  {
    Say(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
      const message = String(call.request);
      if (message.startsWith('flaky:') && !heard.has(message)) {
        heard.add(message);
        done({ code: status.UNAVAILABLE, details: 'the first time' });
        return;
      }
      const [certificate = ''] = call.metadata.get('x-forwarded-client-cert');
      const identity = /URI=(spiffe:[^;,]+)(?!.*URI=)/.exec(String(certificate))?.[1] ?? 'nobody';
      done(null, Buffer.from(`${name} ${identity}`));
    },
  },
);
server.bindAsync(`127.0.0.1:${process.env['PORT']}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) {
    throw error;
  }
});
process.on('SIGTERM', () => server.tryShutdown(() => process.exit(0)));
