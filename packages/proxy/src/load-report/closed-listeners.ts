/** Most listeners that are told of. */
const maxTold = 200;

/** The listeners that are accepted but cannot be opened, with the reasons, for the control plane to be told of. */
export class ClosedListeners {
  #reasons: Readonly<Record<string, string>> = {};
  #news = false;

  now(failed: readonly { readonly name: string; readonly reason: string }[]): void {
    const reasons = Object.fromEntries(failed.slice(0, maxTold).map(({ name, reason }) => [name, reason]));
    this.#news ||= JSON.stringify(reasons) !== JSON.stringify(this.#reasons);
    this.#reasons = reasons;
  }

  /** Why each of them is closed, when that is news: none any more, too. @param isFirst whether the other side knows nothing yet. */
  tell(isFirst: boolean): Readonly<Record<string, string>> | undefined {
    const isNews = this.#news || isFirst;
    this.#news = false;
    return isNews ? this.#reasons : undefined;
  }
}
