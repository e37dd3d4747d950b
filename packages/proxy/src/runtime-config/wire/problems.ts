/** One reason why a resource is refused. */
export interface Problem {
  /** Protobuf field path: `filter_chains[0].filters[0].typed_config.rds`. Empty for the resource as a whole. */
  readonly path: string;
  readonly reason: string;
}

/** How many problems of one resource are listed; the others are counted. */
export const MAX_PROBLEMS_LISTED = 10;

/** Collects problems, with the path of the field that is being looked at. */
export class Problems {
  readonly #list: Problem[] = [];
  readonly #path: (string | number)[] = [];
  #omitted = 0;

  get list(): readonly Problem[] {
    return this.#list;
  }

  /** How many were added so far, those that are not listed included. */
  get count(): number {
    return this.#list.length + this.#omitted;
  }

  get empty(): boolean {
    return this.#list.length === 0;
  }

  /** Adds a problem at the current path, or below it at `at`. */
  add(reason: string, at?: string): void {
    if (this.#list.length >= MAX_PROBLEMS_LISTED) {
      this.#omitted += 1;
      return;
    }
    this.#list.push({ path: formatPath(at === undefined ? this.#path : [...this.#path, at]), reason });
  }

  /** Runs `body` with the path extended. */
  within<T>(step: string | number, body: () => T): T {
    this.#path.push(step);
    try {
      return body();
    } finally {
      this.#path.pop();
    }
  }

  /** Maps a list, each element under its index. */
  each<T, R>(step: string, items: readonly T[], body: (item: T, index: number) => R): R[] {
    return this.within(step, () => items.map((item, index) => this.within(index, () => body(item, index))));
  }

  /** One text a problem, for the `error_detail` of a NACK. */
  lines(): string[] {
    const shown = this.#list.map(({ path, reason }) => printable(path === '' ? reason : `${path}: ${reason}`));
    if (this.#omitted > 0) {
      shown.push(`and ${this.#omitted} more`);
    }
    return shown;
  }
}

/** Reasons quote what a resource says, and end in logs and terminals. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function formatPath(steps: readonly (string | number)[]): string {
  let text = '';
  for (const step of steps) {
    text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`;
  }
  return text;
}
