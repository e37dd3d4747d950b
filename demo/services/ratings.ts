import { serve } from './web.ts';

serve('ratings', (call) => {
  const book = /^\/ratings\/([\w-]+)$/.exec(call.path)?.[1];
  if (book === undefined) {
    return { status: 404, body: { error: 'ask for /ratings/BOOK' } };
  }
  // The same book always has the same stars, between three and five.
  const seed = [...book].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7);
  return { body: { book, stars: [3 + (seed % 3), 3 + ((seed >> 2) % 3)] } };
});
