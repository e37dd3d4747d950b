import { HeadFields } from './head-fields.ts';
import type { HeaderView } from './header-view.ts';
import { type KnownHeaderId, knownHeaderByName } from './known-header.ts';
import { TextMemo } from './text-memo.ts';

/** Reads one field of message after message, as `get` does; no text is made while its bytes stay the same. */
export class FieldMemo {
  readonly name: string;
  readonly #id: KnownHeaderId;
  readonly #memo: TextMemo = new TextMemo();

  /** @param name in lower case. */
  constructor(name: string) {
    this.name = name;
    this.#id = knownHeaderByName(name);
  }

  valueIn(headers: HeaderView): string | undefined {
    return headers instanceof HeadFields
      ? headers.getRemembered(this.name, this.#id, this.#memo)
      : headers.get(this.name);
  }
}
