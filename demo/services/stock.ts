import { serve } from './web.ts';

const full = 25;
const maxTitles = 1_000;
const deliveryEveryMs = 60_000;
const shelves = new Map<string, number>();

setInterval(() => shelves.clear(), deliveryEveryMs).unref();

serve('stock', (call) => {
  const [, book, action] = /^\/stock\/([\w-]+)(\/reserve)?$/.exec(call.path) ?? [];
  if (book === undefined) {
    return { status: 404, body: { error: 'ask for /stock/BOOK' } };
  }
  const left = shelves.get(book) ?? full;
  if (action === undefined) {
    return { body: { book, left } };
  }
  if (call.method !== 'POST') {
    return { status: 405, body: { error: 'reserve with POST' } };
  }
  if (left === 0) {
    return { status: 409, body: { book, left } };
  }
  if (shelves.size < maxTitles || shelves.has(book)) {
    shelves.set(book, left - 1);
  }
  return { body: { book, left: left - 1 } };
});
