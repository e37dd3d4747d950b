/**
 * What HPACK costs a head, in ns, our decoder and encoder: the first head of a connection, and one like the head before it. The
 * heads are what a browser, a gRPC client and a sidecar send. The figures are the smallest of several rounds.
 *
 * `node bench/micro/hpack.ts [--rounds N]`
 */
import { parseArgs } from 'node:util';
import { HeadFields } from '../../packages/http-codec/src/head-fields.ts';
import { HpackDecoder } from '../../packages/http-codec/src/http2/hpack/decoder.ts';
import { FieldBlock, HpackEncoder } from '../../packages/http-codec/src/http2/hpack/encoder.ts';
import { PseudoFields } from '../../packages/http-codec/src/http2/hpack/pseudo-fields.ts';
import {
  encodeRequest,
  fieldsOf,
  literal,
  type SampleHead,
  wideLimits,
} from '../../packages/http-codec/test/hpack-blocks.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' } } });
const rounds = Number(values.rounds);

const heads: Readonly<Record<string, SampleHead>> = {
  'browser, 15 fields': {
    method: 'GET',
    scheme: 'https',
    authority: 'shop.example.com',
    path: '/products/8721',
    fields: [
      ['sec-ch-ua', '"Not_A Brand";v="8", "Chromium";v="120", "Google Chrome";v="120"'],
      ['sec-ch-ua-mobile', '?0'],
      ['sec-ch-ua-platform', '"Linux"'],
      ['upgrade-insecure-requests', '1'],
      [
        'user-agent',
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
      ],
      ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
      ['sec-fetch-site', 'same-origin'],
      ['sec-fetch-mode', 'navigate'],
      ['sec-fetch-dest', 'document'],
      ['accept-encoding', 'gzip, deflate, br'],
      ['accept-language', 'en-GB,en;q=0.9'],
    ],
  },
  'gRPC, 12 fields': {
    method: 'POST',
    scheme: 'http',
    authority: 'checkout.shop.svc.cluster.local:50051',
    path: '/shop.Checkout/PlaceOrder',
    fields: [
      ['content-type', 'application/grpc'],
      ['user-agent', 'grpc-go/1.62.0'],
      ['te', 'trailers'],
      ['grpc-accept-encoding', 'gzip'],
      ['x-tenant', 'blue'],
      ['x-client-version', '4.11.2'],
      ['x-forwarded-proto', 'http'],
      ['x-envoy-expected-rq-timeout-ms', '15000'],
    ],
  },
  'sidecar, 14 fields, 2 of them new each time': {
    method: 'GET',
    scheme: 'http',
    authority: 'catalog.shop.svc.cluster.local',
    path: '/api/v1/items?page=2',
    fields: [
      ['user-agent', 'node-fetch/1.0'],
      ['accept', '*/*'],
      ['accept-encoding', 'gzip, deflate, br'],
      ['x-forwarded-proto', 'http'],
      ['x-forwarded-for', '10.1.2.3'],
      ['x-envoy-decorator-operation', 'catalog.shop.svc.cluster.local:80/*'],
      ['x-weft-names', 'User-Agent,Accept,Host'],
      ['x-tenant', 'blue'],
      ['x-request-id', 'e7a1c1de-8b2b-4d6f-9f0a-0a4f3a6b7c%%'],
      ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e47%%-00f067aa0ba902b7-01'],
    ],
  },
};

/** ns of CPU time for one call, the smallest of the rounds: what else runs on the machine counts little. */
function measure(calls: number, run: (calls: number) => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    const start = process.threadCpuUsage();
    run(calls);
    const { user, system } = process.threadCpuUsage(start);
    best = Math.min(best, ((user + system) * 1000) / calls);
  }
  return best;
}

/** Heads of one connection; `%%` in a value is another number in each of them. */
const variants = 64;

function variantsOf(head: SampleHead): SampleHead[] {
  return Array.from({ length: variants }, (_, index) => ({
    ...head,
    fields: head.fields.map(([name, value]) => [name, value.replace('%%', String(index + 10))] as const),
  }));
}

function decodeTimes(decoder: HpackDecoder, blocks: readonly Buffer[], calls: number): void {
  for (let call = 0; call < calls; call += 1) {
    const block = blocks[call % blocks.length] as Buffer;
    fields.clear();
    if (decoder.decode(block, 0, block.length, 'request', fields, pseudo) !== 'ok') {
      throw new Error(decoder.problem);
    }
  }
}

function encodeTimes(
  encoder: HpackEncoder,
  head: SampleHead,
  received: readonly HeadFields[],
  out: FieldBlock,
  calls: number,
): void {
  for (let call = 0; call < calls; call += 1) {
    encoder.begin(out);
    encoder.method(head.method);
    encoder.scheme(head.scheme);
    encoder.authority(head.authority);
    encoder.path(head.path);
    encoder.fields(received[call % received.length] as HeadFields);
  }
}

function literals(head: SampleHead, coded: boolean): Buffer {
  const pairs = [
    [':method', head.method],
    [':scheme', head.scheme],
    [':authority', head.authority],
    [':path', head.path],
    ...head.fields,
  ] as const;
  return Buffer.concat(pairs.map(([name, value]) => literal(name, value, 'plain', coded)));
}

const fields = new HeadFields();
const pseudo = new PseudoFields();
const out = new FieldBlock();
for (const [name, head] of Object.entries(heads)) {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(wideLimits);
  const samples = variantsOf(head);
  const received = samples.map((sample) => fieldsOf(sample.fields));
  let blocks: Buffer[] = [];
  for (let time = 0; time < 3; time += 1) {
    blocks = samples.map((sample, index) => encodeRequest(encoder, sample, received[index]));
    decodeTimes(decoder, blocks, blocks.length);
  }
  const plain = [literals(head, false)];
  const coded = [literals(head, true)];
  const row = {
    'bytes repeated': blocks[0]?.length ?? 0,
    'bytes literal': plain[0]?.length ?? 0,
    'decode repeated': measure(100_000, (calls) => decodeTimes(decoder, blocks, calls)),
    'decode literals': measure(20_000, (calls) => decodeTimes(decoder, plain, calls)),
    'decode Huffman': measure(20_000, (calls) => decodeTimes(decoder, coded, calls)),
    'encode repeated': measure(100_000, (calls) => encodeTimes(encoder, head, received, out, calls)),
    'encode first': measure(5_000, (calls) => {
      for (let call = 0; call < calls; call += 1) {
        encodeTimes(new HpackEncoder(), head, received, out, 1);
      }
    }),
  };
  process.stdout.write(`${name}\n`);
  for (const [what, figure] of Object.entries(row)) {
    process.stdout.write(
      `  ${what.padEnd(16)} ${figure.toFixed(0).padStart(6)}${what.startsWith('bytes') ? '' : ' ns'}\n`,
    );
  }
}
