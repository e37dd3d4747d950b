import type { TypeShortName } from './proxies.ts';

/** What is to be looked at: objects as they would be stored. */
export interface PreviewRequest {
  readonly objects: readonly unknown[];
}

/** One resource of xDS that some proxies would be given otherwise. */
export interface PreviewedChange {
  readonly type: TypeShortName;
  readonly name: string;
  /** Absent: it would be new. */
  readonly before?: unknown;
  /** Absent: it would be gone. */
  readonly after?: unknown;
  /** `<namespace>/<name>`, sorted. */
  readonly proxies: readonly string[];
}

export interface Preview {
  readonly changes: readonly PreviewedChange[];
}
