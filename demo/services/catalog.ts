import type { Book } from './books.ts';
import { serve } from './web.ts';

const books: readonly Book[] = [
  {
    id: 'warp-and-weft',
    title: 'Warp and Weft',
    author: 'Ida Lindqvist',
    year: 1998,
    priceCents: 1850,
    blurb: 'How cloth was made before machines, told by the people who made it.',
    cover: ['#0f766e', '#34d399'],
  },
  {
    id: 'the-quiet-harbour',
    title: 'The Quiet Harbour',
    author: 'Tomás Arce',
    year: 2011,
    priceCents: 1290,
    blurb: 'A pilot boat, a missing lighthouse keeper, and a winter without ships.',
    cover: ['#1d4ed8', '#60a5fa'],
  },
  {
    id: 'bread-for-beginners',
    title: 'Bread for Beginners',
    author: 'Marta Kowal',
    year: 2019,
    priceCents: 2400,
    blurb: 'Flour, water, salt and patience. Forty loaves, none of them difficult.',
    cover: ['#b45309', '#fbbf24'],
  },
  {
    id: 'a-field-guide-to-clouds',
    title: 'A Field Guide to Clouds',
    author: 'Ewan Reid',
    year: 2006,
    priceCents: 1575,
    blurb: 'Look up. Ninety shapes, what they are called, and what comes after them.',
    cover: ['#475569', '#cbd5e1'],
  },
  {
    id: 'nine-locks',
    title: 'Nine Locks',
    author: 'Priya Raman',
    year: 2022,
    priceCents: 1420,
    blurb: 'A locksmith is asked to open a door that she closed herself, years ago.',
    cover: ['#7e22ce', '#d8b4fe'],
  },
  {
    id: 'small-engines',
    title: 'Small Engines',
    author: 'Joost van Dam',
    year: 2015,
    priceCents: 3100,
    blurb: 'Take one apart, put it together again, and know why it runs.',
    cover: ['#be123c', '#fda4af'],
  },
];

serve('catalog', (call) => {
  if (call.path === '/books') {
    return { body: { books } };
  }
  const id = /^\/books\/([\w-]+)$/.exec(call.path)?.[1];
  const book = books.find((candidate) => candidate.id === id);
  return book === undefined ? { status: 404, body: { error: 'no such book' } } : { body: book };
});
