/**
 * An allow-list of field paths. A path is written as in a manifest, with `[]` for any item of a list and `{}` for any key of a map:
 * `spec.http[].match[].headers{}.exact`. Everything that is not listed counts as not acted upon, so that nothing can be forgotten:
 * a field that is added to a schema is reported until it is added here.
 */
export class FieldTree {
  readonly #root: Node = newNode();

  /** @param paths each maps to true, or to a test of the value (which is given the key of a map, too). */
  constructor(paths: Readonly<Record<string, true | ValueTest>>) {
    for (const [path, test] of Object.entries(paths)) {
      let node = this.#root;
      for (const segment of segmentsOf(path)) {
        const next = node.children.get(segment) ?? newNode();
        node.children.set(segment, next);
        node = next;
      }
      node.test = test;
    }
  }

  /** The listed paths, for the test that compares them with the schema. */
  *paths(): Iterable<readonly string[]> {
    yield* leaves(this.#root, []);
  }

  /** Paths of fields in `object` that are not acted upon, each once, as high up as nothing below is known. */
  unsupported(object: unknown): readonly string[] {
    const found: string[] = [];
    visit(this.#root, object, '', '', found);
    return found;
  }
}

/** Whether a value is acted upon. */
export type ValueTest = (value: unknown, key: string) => boolean;

interface Node {
  readonly children: Map<string, Node>;
  test: true | ValueTest | undefined;
}

function newNode(): Node {
  return { children: new Map(), test: undefined };
}

function segmentsOf(path: string): readonly string[] {
  return path.match(/\[\]|\{\}|[^.[\]{}]+/g) ?? [];
}

function* leaves(node: Node, path: readonly string[]): Iterable<readonly string[]> {
  if (node.test !== undefined) {
    yield path;
  }
  for (const [segment, child] of node.children) {
    yield* leaves(child, [...path, segment]);
  }
}

function visit(node: Node | undefined, value: unknown, path: string, key: string, found: string[]): void {
  if (value === undefined) {
    return;
  }
  if (node === undefined || (typeof node.test === 'function' && !node.test(value, key))) {
    found.push(path);
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      visit(node.children.get('[]'), item, `${path}[${index}]`, '', found);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      const child = node.children.get(name) ?? node.children.get('{}');
      visit(child, member, path === '' ? name : `${path}.${name}`, name, found);
    }
  } else if (node.test === undefined) {
    found.push(path);
  }
}
