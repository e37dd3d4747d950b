import type { Book, Review, Reviews } from './books.ts';

const style = `
  :root { color-scheme: light dark; --ink: #1c1917; --soft: #78716c; --paper: #faf9f7; --card: #fff; --line: #e7e5e4; --accent: #0f766e; --star: #171717; }
  @media (prefers-color-scheme: dark) { :root { --ink: #f5f5f4; --soft: #a8a29e; --paper: #171513; --card: #221f1c; --line: #37322d; --accent: #5eead4; } }
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
  header, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
  header { display: flex; align-items: baseline; gap: 1rem; padding-top: 1.75rem; padding-bottom: 1rem; border-bottom: 1px solid var(--line); }
  header a { color: inherit; text-decoration: none; font: 600 1.5rem/1.2 Georgia, serif; }
  header span, footer, .soft { color: var(--soft); }
  main { padding-top: 1.75rem; padding-bottom: 2rem; }
  .shelf { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1.25rem; padding: 0; margin: 0; list-style: none; }
  .book { display: flex; gap: 1rem; height: 100%; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; color: inherit; text-decoration: none; }
  .book:hover, .book:focus-visible { border-color: var(--accent); }
  .cover { flex: none; width: 4.25rem; height: 6rem; border-radius: 4px; display: grid; place-items: center; color: #fff; font: 600 1.5rem Georgia, serif; box-shadow: inset 5px 0 rgb(0 0 0 / 15%); }
  .cover.large { width: 9rem; height: 12.5rem; font-size: 3rem; }
  h1 { font: 600 2rem/1.2 Georgia, serif; margin: 0 0 .25rem; } h2 { font: 600 1.25rem Georgia, serif; margin: 2rem 0 .75rem; } h3 { font: 600 1.05rem/1.3 Georgia, serif; margin: 0; }
  p { margin: .35rem 0; } .price { font-weight: 600; }
  .detail { display: flex; flex-wrap: wrap; gap: 1.75rem; } .detail > div:last-child { flex: 1 1 18rem; }
  button { font: inherit; font-weight: 600; padding: .55rem 1.1rem; border: 0; border-radius: 8px; background: var(--accent); color: var(--paper); cursor: pointer; }
  blockquote { margin: 0 0 .75rem; padding: .9rem 1.1rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
  .picks { padding-left: 1.1rem; } .picks a { color: var(--accent); font-weight: 600; }
  .stars { letter-spacing: .1em; background: #fff; border-radius: 4px; padding: 0 .3em; } .tag { font-size: .8rem; border: 1px solid var(--line); border-radius: 99px; padding: .1rem .6rem; vertical-align: middle; font-family: system-ui, sans-serif; font-weight: 400; }
  footer { padding-top: 1rem; padding-bottom: 2rem; border-top: 1px solid var(--line); font-size: .85rem; }
`;

/** A book that the shop would like to sell, and why. */
export interface Recommended {
  readonly book: Book;
  readonly why: string;
}

/** The shelf with every book. */
export function homePage(
  books: readonly Book[],
  picks: readonly Recommended[],
  cache: { readonly cached: boolean; readonly cacheConnected: boolean },
): string {
  const shelf = books
    .map(
      (book) => `<li><a class="book" href="/books/${escapeHtml(book.id)}">${cover(book, '')}
        <div><h3>${escapeHtml(book.title)}</h3><p class="soft">${escapeHtml(book.author)}, ${book.year}</p><p class="price">${price(book)}</p></div></a></li>`,
    )
    .join('\n');
  const from = cache.cached ? 'the cache' : `the catalogue${cache.cacheConnected ? '' : ' (the cache is away)'}`;
  return page(
    'The Bookshop',
    `<h1>New on the shelf</h1><p class="soft">${books.length} books. Pick one to read what others thought of it.</p>
     <ul class="shelf" style="margin-top:1.5rem">${shelf}</ul>${recommendations('Recommended today', picks)}`,
    `This list came from ${from}.`,
  );
}

/** One book with its reviews; `reviews` is undefined when they could not be had. */
export function bookPage(book: Book, reviews: Reviews | undefined, liked: readonly Recommended[]): string {
  const told =
    reviews === undefined
      ? '<p class="soft">The reviews are not available at the moment.</p>'
      : reviews.reviews.map((review) => reviewBlock(review, reviews.starColour)).join('\n');
  const trouble =
    reviews?.ratingsError === undefined
      ? ''
      : `<p class="soft">Without stars: ${escapeHtml(reviews.ratingsError)}.</p>`;
  const tag = reviews === undefined ? '' : ` <span class="tag">reviews ${escapeHtml(reviews.version)}</span>`;
  return page(
    book.title,
    `<div class="detail">${cover(book, ' large')}<div><h1>${escapeHtml(book.title)}</h1>
       <p class="soft">${escapeHtml(book.author)}, ${book.year}</p><p>${escapeHtml(book.blurb)}</p><p class="price">${price(book)}</p>
       <form method="post" action="/orders"><input type="hidden" name="book" value="${escapeHtml(book.id)}"><button>Order it</button></form></div></div>
     <h2>What readers say${tag}</h2>${told}${trouble}${recommendations('Readers of this book took home', liked)}`,
    reviews === undefined ? '' : `The reviews came from version ${escapeHtml(reviews.version)} of their service.`,
  );
}

/** A page with one message and a way back. */
export function messagePage(title: string, text: string): string {
  return page(
    title,
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p><p><a href="/">Back to the shelf</a></p>`,
    '',
  );
}

/** Nothing where nothing is recommended. */
function recommendations(heading: string, list: readonly Recommended[]): string {
  const items = list
    .map(
      ({ book, why }) =>
        `<li><a href="/books/${escapeHtml(book.id)}">${escapeHtml(book.title)}</a> <span class="soft">${escapeHtml(why)}</span></li>`,
    )
    .join('');
  return items === '' ? '' : `<h2>${escapeHtml(heading)}</h2><ul class="picks">${items}</ul>`;
}

function reviewBlock(review: Review, colour: string | undefined): string {
  const stars =
    review.stars === undefined || colour === undefined
      ? ''
      : `<span class="stars" style="color:${colour}" role="img" aria-label="${review.stars} of 5 stars">${'★'.repeat(review.stars)}${'☆'.repeat(5 - review.stars)}</span> `;
  return `<blockquote>${stars}<strong>${escapeHtml(review.reader)}</strong><p>${escapeHtml(review.text)}</p></blockquote>`;
}

function cover(book: Book, size: string): string {
  const [from, to] = book.cover;
  return `<div class="cover${size}" aria-hidden="true" style="background:linear-gradient(160deg,${escapeHtml(from)},${escapeHtml(to)})">${escapeHtml(book.title.slice(0, 1))}</div>`;
}

function price(book: Book): string {
  return `€ ${(book.priceCents / 100).toFixed(2)}`;
}

function page(title: string, body: string, note: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><link rel="icon" href="data:,"><style>${style}</style></head>
<body><header><a href="/">The Bookshop</a><span>books, slowly</span></header><main>${body}</main>
<footer>${note} A demo shop: nothing is sold here.</footer></body></html>\n`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);
}
