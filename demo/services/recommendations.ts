import process from 'node:process';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { type Recommendation, recommendationsApi } from './recommendations-api.ts';
import { stopOnSignal } from './web.ts';

const maxShelf = 6;

/** What readers of a book took home as well. */
const likedToo: Readonly<Record<string, readonly Recommendation[]>> = {
  'warp-and-weft': [
    { book: 'small-engines', why: 'for people who want to know how things are made' },
    { book: 'bread-for-beginners', why: 'work of the hands, with a result by evening' },
  ],
  'the-quiet-harbour': [
    { book: 'nine-locks', why: 'somebody is missing there, too' },
    { book: 'a-field-guide-to-clouds', why: 'half of a winter without ships is weather' },
  ],
  'bread-for-beginners': [{ book: 'warp-and-weft', why: 'patience, in another material' }],
  'a-field-guide-to-clouds': [
    { book: 'the-quiet-harbour', why: 'a story under the same sky' },
    { book: 'bread-for-beginners', why: 'for the days when it rains' },
  ],
  'nine-locks': [{ book: 'the-quiet-harbour', why: 'another door that should have stayed shut' }],
  'small-engines': [{ book: 'warp-and-weft', why: 'machines before there were engines' }],
};

const shelf: readonly Recommendation[] = Object.values(likedToo).flatMap((list) => list.slice(0, 1));

function forBook(
  { request }: ServerUnaryCall<{ book: string }, { recommendations: readonly Recommendation[] }>,
  answer: sendUnaryData<{ recommendations: readonly Recommendation[] }>,
): void {
  const recommendations = likedToo[request.book];
  if (recommendations === undefined) {
    answer({ code: status.NOT_FOUND, details: 'no such book' });
  } else {
    answer(null, { recommendations });
  }
}

function forShelf(call: ServerWritableStream<{ count: number }, Recommendation>): void {
  const { count } = call.request;
  if (count < 1 || count > maxShelf) {
    call.emit('error', { code: status.INVALID_ARGUMENT, details: `count must be from 1 to ${maxShelf}` });
    return;
  }
  for (const recommendation of shelf.slice(0, count)) {
    call.write(recommendation);
  }
  call.end();
}

const server = new Server();
server.addService(recommendationsApi().service, { forBook, forShelf });
server.bindAsync(`127.0.0.1:${process.env['PORT'] ?? 0}`, ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) {
    process.stderr.write(`recommendations: ${error.message}\n`);
    process.exit(1);
  }
  process.stdout.write(`recommendations listens on port ${port} (process ${process.pid})\n`);
});
stopOnSignal(() => server.tryShutdown(() => process.exit(0)));
