import { request } from 'node:http';
import process from 'node:process';
import { stopOnSignal } from './web.ts';

/** Visits the shop like a few patient readers: the shelf, a book, now and then an order. */
const visitsPerSecond = Number(process.env['VISITS_PER_SECOND'] ?? 4);
const shop = process.env['SHOP_URL'] ?? 'http://storefront';
const maxInFlight = 20;
const timeoutMs = 5_000;
const books = [
  'warp-and-weft',
  'the-quiet-harbour',
  'bread-for-beginners',
  'a-field-guide-to-clouds',
  'nine-locks',
  'small-engines',
];

let turn = 0;
let inFlight = 0;
let good = 0;
let bad = 0;

function visit(method: 'GET' | 'POST', path: string, form?: string): void {
  if (inFlight >= maxInFlight) {
    return;
  }
  inFlight += 1;
  const done = (ok: boolean): void => {
    inFlight -= 1;
    good += ok ? 1 : 0;
    bad += ok ? 0 : 1;
  };
  const headers = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  const outgoing = request(`${shop}${path}`, { method, headers, timeout: timeoutMs }, (response) => {
    response.resume();
    response.on('end', () => done((response.statusCode ?? 500) < 500));
    response.on('error', () => done(false));
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
  outgoing.on('error', () => done(false));
  outgoing.end(form);
}

const timer = setInterval(() => {
  turn += 1;
  const book = books[turn % books.length] ?? 'warp-and-weft';
  if (turn % 10 === 0) {
    visit('POST', '/orders', `book=${book}`);
  } else if (turn % 3 === 0) {
    visit('GET', '/');
  } else {
    visit('GET', `/books/${book}`);
  }
}, 1000 / visitsPerSecond);

const report = setInterval(() => {
  process.stdout.write(`visitor: ${good} good and ${bad} failed visits so far\n`);
}, 30_000);

stopOnSignal(() => {
  clearInterval(timer);
  clearInterval(report);
  process.exit(0);
});
