import { type CompiledPath, endsSegment } from './path-match.ts';

/** Positions of routes in their virtual host, ascending. */
type Positions = number[];

/** Routes that compare the path in one way: as it is, or in lower case. */
class PathIndex {
  readonly #exact = new Map<string, Positions>();
  /** By length of the prefix, shortest first. */
  readonly #prefixes: { readonly length: number; readonly routes: Map<string, Positions> }[] = [];
  readonly #separated: { readonly length: number; readonly routes: Map<string, Positions> }[] = [];
  size = 0;

  add(path: CompiledPath, position: number): void {
    this.size += 1;
    if (path.kind === 'exact') {
      append(this.#exact, path.value, position);
      return;
    }
    const groups = path.kind === 'prefix' ? this.#prefixes : this.#separated;
    const { length } = path.value;
    let group = groups.find((candidate) => candidate.length === length);
    if (group === undefined) {
      group = { length, routes: new Map() };
      groups.push(group);
      groups.sort((a, b) => a.length - b.length);
    }
    append(group.routes, path.value, position);
  }

  collect(path: string, found: Candidates): void {
    found.add(this.#exact.get(path));
    for (const { length, routes } of this.#prefixes) {
      if (length > path.length) {
        break;
      }
      found.add(routes.get(path.slice(0, length)));
    }
    for (const { length, routes } of this.#separated) {
      if (length > path.length) {
        break;
      }
      if (endsSegment(path, length)) {
        found.add(routes.get(path.slice(0, length)));
      }
    }
  }
}

function append(routes: Map<string, Positions>, key: string, position: number): void {
  const positions = routes.get(key);
  if (positions === undefined) {
    routes.set(key, [position]);
  } else {
    positions.push(position);
  }
}

/** Lists of candidates whose positions are taken in ascending order. Used again for each look-up. */
class Candidates {
  readonly #lists: Positions[] = [];
  readonly #cursors: number[] = [];
  #count = 0;

  clear(): void {
    this.#count = 0;
  }

  add(positions: Positions | undefined): void {
    if (positions !== undefined && positions.length > 0) {
      this.#lists[this.#count] = positions;
      this.#cursors[this.#count] = 0;
      this.#count += 1;
    }
  }

  /** The lowest position that was not taken yet; -1 when there is none. */
  take(): number {
    let lowest = -1;
    let from = -1;
    for (let list = 0; list < this.#count; list += 1) {
      const position = (this.#lists[list] as Positions)[this.#cursors[list] as number];
      if (position !== undefined && (lowest < 0 || position < lowest)) {
        lowest = position;
        from = list;
      }
    }
    if (from >= 0) {
      this.#cursors[from] = (this.#cursors[from] as number) + 1;
    }
    return lowest;
  }
}

const candidates = new Candidates();

/**
 * The routes of a virtual host with many: by path, so that a look-up costs what matches rather than what there is, while the first route
 * in order still wins. Regular expressions have no place in it: each of them is tried, in its turn.
 */
export class RouteIndex {
  readonly #asIs = new PathIndex();
  readonly #lower = new PathIndex();
  readonly #others: Positions = [];

  constructor(paths: readonly CompiledPath[]) {
    paths.forEach((path, position) => {
      if (path.kind === 'regex' || path.kind === 'connect') {
        this.#others.push(position);
      } else {
        (path.caseSensitive ? this.#asIs : this.#lower).add(path, position);
      }
    });
  }

  /** The first position, in order, of those whose path may match for which `accepts` says yes; -1 if there is none. */
  first<T>(path: string, subject: T, accepts: (position: number, subject: T) => boolean): number {
    candidates.clear();
    this.#asIs.collect(path, candidates);
    if (this.#lower.size > 0) {
      this.#lower.collect(path.toLowerCase(), candidates);
    }
    candidates.add(this.#others);
    for (let position = candidates.take(); position >= 0; position = candidates.take()) {
      if (accepts(position, subject)) {
        return position;
      }
    }
    return -1;
  }
}
