/**
 * What the transport and the client add to the memory of a process: `node packages/xds-client/test/memory/measure.ts`. Each program is
 * bundled and minified as the shipped ones are, connects over mutual TLS to a server in this process, and is looked at when it has
 * been idle. The figures stand in docs/adr/.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { silentLogger, systemClock } from '@weft/base';
import { createCsr, formatWorkloadId, generatePrivateKey } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import { createSnapshot, createXdsServer, encodeResource, grpcServerOptions } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import { build } from 'esbuild';

const programs = ['bare', 'tls-socket', 'http2-session', 'grpc-js-stream', 'weft-channel-stream', 'weft-xds-client'];
const runs = 5;
const clusters = 100;

const folder = await mkdtemp(join(tmpdir(), 'weft-memory-'));
const authority = await CertificateAuthority.open({
  folder: join(folder, 'ca'),
  clock: systemClock,
  logger: silentLogger,
});
const pair = await authority.issueServer({ ipAddresses: ['127.0.0.1'], dnsNames: ['localhost'] });
const identity = formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'test', serviceAccount: 'client' });
const key = await generatePrivateKey();
const { certChain } = await authority.issueSvid({ csrPem: createCsr(key, identity), identity });
const pem = (one: typeof key): string => one.reveal().export({ type: 'pkcs8', format: 'pem' }).toString();

const xds = createXdsServer({
  logger: silentLogger,
  clock: systemClock,
  authorize: (_peer, { id }) => ({ accept: id }),
});
const resources = Array.from({ length: clusters }, (_, index) =>
  encodeResource({ typeUrl: typeUrls.cluster, name: `cluster-${index}`, value: Buffer.alloc(1_000, index) }),
);
xds.setSnapshot('n', createSnapshot(1, resources));
const server = new Server(grpcServerOptions);
xds.addTo(server);
const port = await new Promise<number>((resolve, reject) => {
  const keyPair = { private_key: Buffer.from(pem(pair.key)), cert_chain: Buffer.from(pair.chainPem) };
  const credentials = ServerCredentials.createSsl(Buffer.from(authority.trustBundle.value.pem), [keyPair], true);
  server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
});
await writeFile(
  join(folder, 'facts.json'),
  JSON.stringify({ port, ca: authority.trustBundle.value.pem, cert: certChain.join(''), key: pem(key) }),
);

for (const program of programs) {
  const outfile = join(folder, `${program}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, 'programs', `${program}.ts`)],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
    logLevel: 'warning',
  });
  const figures: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    figures.push(await residentMegabytes(outfile));
  }
  figures.sort((a, b) => a - b);
  process.stdout.write(`${program.padEnd(22)} median ${figures[runs >> 1]} MB (${figures[0]} to ${figures.at(-1)})\n`);
}
xds.close();
server.forceShutdown();
authority.close();
await rm(folder, { recursive: true, force: true });

function residentMegabytes(file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, join(folder, 'facts.json')], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on('exit', (code) =>
      code === 0 ? resolve(Number(output)) : reject(new Error(`${file} ended with ${code}`)),
    );
  });
}
