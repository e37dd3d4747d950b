import process from 'node:process';
import type { Review, Reviews } from './books.ts';
import { call, serve } from './web.ts';

/** v1 shows no stars, v2 black ones, v3 red ones; the stars come from the ratings service. */
const version = process.env['SERVICE_VERSION'] ?? 'v1';
const starColour = version === 'v2' ? '#171717' : version === 'v3' ? '#dc2626' : undefined;

const written: readonly Review[] = [
  { reader: 'Noor', text: 'I read it in two evenings and gave it to my sister on the third day.' },
  { reader: 'Casper', text: 'Slow in the middle, but the last part makes up for it.' },
];

serve(`reviews ${version}`, async (request) => {
  const book = /^\/reviews\/([\w-]+)$/.exec(request.path)?.[1];
  if (book === undefined) {
    return { status: 404, body: { error: 'ask for /reviews/BOOK' } };
  }
  const reply: Reviews = { book, version, reviews: written };
  if (starColour === undefined) {
    return { body: reply };
  }
  const ratings = await call<{ stars: number[] }>('GET', `http://ratings/ratings/${book}`, {
    headers: request.headers,
  });
  const stars = ratings.body?.stars;
  if (ratings.status !== 200 || stars === undefined) {
    return { body: { ...reply, starColour, ratingsError: 'the ratings are not available at the moment' } };
  }
  return {
    body: { ...reply, starColour, reviews: written.map((review, index) => ({ ...review, stars: stars[index] ?? 0 })) },
  };
});
