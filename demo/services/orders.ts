import { randomUUID } from 'node:crypto';
import { call, serve } from './web.ts';

interface Order {
  readonly id: string;
  readonly book: string;
  readonly at: string;
}

const kept = 50;
const orders: Order[] = [];
let taken = 0;

serve('orders', async (request) => {
  if (request.path !== '/orders') {
    return { status: 404, body: { error: 'ask for /orders' } };
  }
  if (request.method === 'GET') {
    return { body: { taken, recent: orders } };
  }
  const book = new URLSearchParams(request.body).get('book') ?? bookOfJson(request.body);
  if (book === undefined || !/^[\w-]{1,80}$/.test(book)) {
    return { status: 400, body: { error: 'name the book: {"book":"warp-and-weft"}' } };
  }
  const reserved = await call<{ left: number }>('POST', `http://stock/stock/${book}/reserve`, {
    headers: request.headers,
  });
  if (reserved.status === 409) {
    return { status: 409, body: { error: 'sold out until the next delivery' } };
  }
  if (reserved.status !== 200) {
    return { status: 503, body: { error: 'the stock cannot be asked at the moment' } };
  }
  const order = { id: randomUUID().slice(0, 8), book, at: new Date().toISOString() };
  taken += 1;
  orders.unshift(order);
  orders.length = Math.min(orders.length, kept);
  return { status: 201, body: { ...order, left: reserved.body?.left } };
});

function bookOfJson(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'book' in value ? String(value.book) : undefined;
  } catch {
    return undefined;
  }
}
