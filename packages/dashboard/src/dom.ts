import type { Toned } from './text.ts';

/** An element with attributes and children; texts are set as text, never as HTML. */
export function element(
  tag: string,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElement {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** The element of the page with this id; the page's own HTML has all of them. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no #${id}`);
  }
  return found;
}

export function toned({ text, tone }: Toned): HTMLElement {
  return tone === 'plain' ? element('span', {}, text) : element('span', { class: tone }, text);
}

/** One row of a table: its first cell is its heading. */
export interface Row {
  readonly key: string;
  /** A line that belongs to the row above. */
  readonly part?: boolean;
  readonly cells: readonly Cell[];
}

export interface Cell {
  /** Name of the column, shown beside the value on a narrow screen. */
  readonly label: string;
  readonly number?: boolean;
  readonly content: Node | string;
}

/** Makes a table body show `rows`; rows and cells that did not change are left alone, so that selections and focus stay. */
export function showRows(body: HTMLElement, rows: readonly Row[]): void {
  const existing = new Map([...body.children].map((row) => [row.getAttribute('data-key') ?? '', row as HTMLElement]));
  rows.forEach((row, index) => {
    const node = existing.get(row.key) ?? element('tr', { 'data-key': row.key });
    existing.delete(row.key);
    node.className = row.part === true ? 'part' : '';
    for (const [column, cell] of row.cells.entries()) {
      showCell(node, cell, column);
    }
    if (body.children[index] !== node) {
      body.insertBefore(node, body.children[index] ?? null);
    }
  });
  for (const gone of existing.values()) {
    gone.remove();
  }
}

function showCell(row: HTMLElement, cell: Cell, column: number): void {
  const fresh =
    column === 0
      ? element('th', { scope: 'row' }, cell.content)
      : element('td', { 'data-label': cell.label, ...(cell.number === true ? { class: 'number' } : {}) }, cell.content);
  const old = row.children[column];
  if (old === undefined) {
    row.append(fresh);
  } else if (!old.isEqualNode(fresh)) {
    old.replaceWith(fresh);
  }
}
