/**
 * A gRPC client without a proxy, for `weft run --engine grpc`: takes calls as lines of JSON on a port of loopback and answers each with a
 * line. Argument: the port.
 */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { register, XdsChannelCredentials } from '@grpc/grpc-js-xds';
import type { Answer, Call } from './control.ts';

register();
const asIs = (bytes: Buffer): Buffer => bytes;
const clients = new Map<string, Client>();

function clientOf({ target, secure }: Call): Client {
  const key = `${target} ${secure}`;
  let client = clients.get(key);
  if (client === undefined) {
    const insecure = credentials.createInsecure();
    client = new Client(`xds:///${target}`, secure ? new XdsChannelCredentials(insecure) : insecure);
    clients.set(key, client);
  }
  return client;
}

function make(call: Call): Promise<Answer> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(call.headers)) {
    metadata.set(name, value);
  }
  const deadline = Date.now() + 10_000;
  return new Promise((resolve) => {
    const message = Buffer.from(call.message);
    clientOf(call).makeUnaryRequest('/test.Echo/Say', asIs, asIs, message, metadata, { deadline }, (error, reply) =>
      resolve(error === null ? { text: String(reply) } : { code: error.code, details: error.details }),
    );
  });
}

createServer((socket) => {
  createInterface({ input: socket }).on('line', (line) => {
    void make(JSON.parse(line) as Call).then((answer) => socket.write(`${JSON.stringify(answer)}\n`));
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
