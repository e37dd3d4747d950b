import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml';
import { parsePath } from '../field-path.ts';

/** A place in a text, counted from 1. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

export function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

/** Finds out where in its text a field of a document stands. */
export class SourcePositions {
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  ofOffset(offset: number): SourcePosition {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  ofNode(node: unknown): SourcePosition | undefined {
    const range = (node as Node | null | undefined)?.range;
    return range ? this.ofOffset(range[0]) : undefined;
  }

  /** Where the document begins: its first field. */
  get start(): SourcePosition {
    return this.ofNode(this.#document.contents) ?? this.ofOffset(this.#document.range?.[0] ?? 0);
  }

  /**
   * The place of a path in Kubernetes' notation: of its value, or with `key` of the name before it. Where the path is
   * not there, that of the innermost object around it that is.
   */
  of(path: string, key = false): SourcePosition {
    let node: unknown = this.#document.contents;
    let found = this.start;
    const steps = parsePath(path);
    for (const [index, step] of steps.entries()) {
      const target = isAlias(node) ? node.resolve(this.#document) : node;
      const pair: Pair | undefined = isMap(target)
        ? target.items.find((item) => keyText(item.key) === step)
        : undefined;
      const next = isSeq(target) ? target.items[Number(step)] : pair?.value;
      const keyPosition = this.ofNode(pair?.key);
      const position = key && index === steps.length - 1 ? (keyPosition ?? this.ofNode(next)) : this.ofNode(next);
      if (position === undefined) {
        return keyPosition ?? found;
      }
      found = position;
      node = next;
    }
    return found;
  }
}
