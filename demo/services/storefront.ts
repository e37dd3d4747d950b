import process from 'node:process';
import type { Book, Reviews } from './books.ts';
import { CacheClient } from './cache-client.ts';
import { bookPage, homePage, messagePage, type Recommended } from './pages.ts';
import type { Recommendation } from './recommendations-api.ts';
import type { RecommendationsClient } from './recommendations-client.ts';
import { type Call, call, type Reply, serve } from './web.ts';

const cache = new CacheClient(process.env['CACHE_ADDR'] ?? '');
const cacheSeconds = 5;
const shelfRecommendations = 3;

/** Loaded while the shop opens: its first pages need not wait for gRPC, they recommend nothing. */
let recommendations: RecommendationsClient | undefined;
import('./recommendations-client.ts')
  .then((loaded) => {
    recommendations = new loaded.RecommendationsClient(process.env['RECOMMENDATIONS_ADDR'] ?? '');
  })
  .catch((error: unknown) => process.stderr.write(`storefront: no recommendations: ${error}\n`));

serve('storefront', async (request): Promise<Reply> => {
  const headers = { ...request.headers, ...readerOf(request) };
  if (request.path === '/healthz') {
    return { body: { ok: true } };
  }
  if (request.path === '/') {
    const [{ books, cached }, picks] = await Promise.all([
      listBooks(headers),
      recommendations?.forShelf(shelfRecommendations, headers) ?? [],
    ]);
    return books === undefined
      ? { status: 503, body: messagePage('The catalogue is closed', 'Please come back in a moment.') }
      : { body: homePage(books, recommended(books, picks), { cached, cacheConnected: cache.connected }) };
  }
  if (request.path === '/api/books') {
    const { books, cached } = await listBooks(headers);
    return books === undefined
      ? { status: 503, body: { error: 'the catalogue is not available' } }
      : { body: { books, cached } };
  }
  const [, api, id] = /^(\/api)?\/books\/([\w-]+)$/.exec(request.path) ?? [];
  if (id !== undefined) {
    return showBook(id, api !== undefined, headers);
  }
  if (request.path === '/orders' && request.method === 'POST') {
    return order(request, headers);
  }
  return { status: 404, body: messagePage('No such page', 'The shop has no page at this address.') };
});

/** Signed-in readers have a cookie; the services behind learn the name from a header. */
function readerOf(request: Call): Record<string, string> {
  const cookie = /(?:^|;\s*)reader=([\w-]{1,40})/.exec(request.headers.cookie ?? '')?.[1];
  return cookie === undefined ? {} : { 'x-reader': cookie };
}

async function listBooks(headers: Call['headers']): Promise<{ books: Book[] | undefined; cached: boolean }> {
  const hit = await cache.get('books');
  if (hit !== undefined) {
    return { books: JSON.parse(hit) as Book[], cached: true };
  }
  const answer = await call<{ books: Book[] }>('GET', 'http://catalog/books', { headers });
  const books = answer.status === 200 ? answer.body?.books : undefined;
  if (books !== undefined) {
    await cache.set('books', cacheSeconds, JSON.stringify(books));
  }
  return { books, cached: false };
}

async function showBook(id: string, asJson: boolean, headers: Call['headers']): Promise<Reply> {
  const [book, reviews, { books }, liked] = await Promise.all([
    call<Book>('GET', `http://catalog/books/${id}`, { headers }),
    call<Reviews>('GET', `http://reviews/reviews/${id}`, { headers }),
    listBooks(headers),
    recommendations?.forBook(id, headers) ?? [],
  ]);
  if (book.status !== 200 || book.body === undefined) {
    const missing = book.status === 404;
    const status = missing ? 404 : 503;
    if (asJson) {
      return { status, body: { error: missing ? 'no such book' : 'the catalogue is not available' } };
    }
    return {
      status,
      body: missing
        ? messagePage('No such book', 'It may have been sold to somebody else.')
        : messagePage('The catalogue is closed', 'Please come back in a moment.'),
    };
  }
  const told = reviews.status === 200 ? reviews.body : undefined;
  return asJson
    ? {
        body: {
          book: book.body,
          reviews: told ?? { error: 'the reviews are not available', status: reviews.status },
          recommendations: liked,
        },
      }
    : { body: bookPage(book.body, told, recommended(books ?? [], liked)) };
}

/** What is recommended, with what the catalogue knows of it. */
function recommended(books: readonly Book[], picks: readonly Recommendation[]): readonly Recommended[] {
  return picks.flatMap(({ book: id, why }) => {
    const book = books.find((candidate) => candidate.id === id);
    return book === undefined ? [] : [{ book, why }];
  });
}

async function order(request: Call, headers: Call['headers']): Promise<Reply> {
  const book = new URLSearchParams(request.body).get('book') ?? '';
  const answer = await call<{ id?: string; error?: string }>('POST', 'http://orders/orders', {
    headers,
    json: { book },
  });
  if (answer.status === 201) {
    return { body: messagePage('Thank you', `Your order ${answer.body?.id ?? ''} is on its way.`) };
  }
  const why = answer.body?.error ?? 'the orders cannot be taken at the moment';
  return { status: answer.status === 0 ? 503 : answer.status, body: messagePage('Not ordered', `Sorry: ${why}.`) };
}
