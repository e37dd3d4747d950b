/** Calls /test.Echo/Say on xds:///<target> for every line of standard input and prints the answer or the error, one a line. */
import { createInterface } from 'node:readline';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { register } from '@grpc/grpc-js-xds';

register();
const asIs = (bytes: Buffer): Buffer => bytes;
const client = new Client(`xds:///${process.argv[2]}`, credentials.createInsecure());
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await new Promise<string>((resolve) => {
    const options = { deadline: Date.now() + 10_000 };
    client.makeUnaryRequest(
      '/test.Echo/Say',
      asIs,
      asIs,
      Buffer.from(line),
      new Metadata({ waitForReady: true }),
      options,
      (error, reply) => resolve(error === null ? String(reply) : `error ${error.code} ${error.details}`),
    );
  });
  process.stdout.write(`${answer}\n`);
}
