import type { KubeObject } from '@weft/resources';
import type { Collection } from '../store/collection.ts';
import { keyOf } from '../store/collection.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';
import type { ServedResource } from './served-resource.ts';
import { badRequest, versionTooLarge } from './status-error.ts';

export interface ListQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
}

export interface ListPage {
  readonly items: readonly KubeObject[];
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
}

/** Where a paged list goes on: the version it began at and the last key that was sent. */
interface ContinueToken {
  readonly revision: number;
  readonly after: string;
}

/** `resourceVersion` of a query as a number; undefined for any. @throws StatusError 400. */
export function parseRevision(text: string | undefined): number | undefined {
  if (text === undefined || text === '') {
    return undefined;
  }
  if (!/^\d{1,15}$/.test(text)) {
    throw badRequest(`invalid resource version ${JSON.stringify(text.slice(0, 40))}: it is a number that the API gave`);
  }
  return Number(text);
}

/** A list, or one page of it; every page of one list shows the same state. @throws StatusError 400, 410, 504. */
export function listObjects(
  resource: ServedResource,
  collection: Collection,
  revision: number,
  query: ListQuery,
  maxLimit: number,
): ListPage {
  const labels = parseLabelSelector(query.labelSelector);
  const fields = parseFieldSelector(query.fieldSelector, resource.plural);
  const token = query.continue === undefined || query.continue === '' ? undefined : parseToken(query.continue);
  const asked = parseRevision(query.resourceVersion);
  const match = query.resourceVersionMatch;
  if (match !== undefined && match !== '' && match !== 'Exact' && match !== 'NotOlderThan') {
    throw badRequest(`resourceVersionMatch ${JSON.stringify(match)} is not supported: use Exact or NotOlderThan`);
  }
  if (asked !== undefined && asked > revision) {
    throw versionTooLarge(asked, revision);
  }
  const at = token?.revision ?? (match === 'Exact' && asked !== undefined && asked > 0 ? asked : revision);
  const state = at === revision ? collection.list(query.namespace) : collection.listAt(at, query.namespace);
  const chosen = state.filter((object) => labels(object) && fields(object));
  const start = token === undefined ? 0 : firstAfter(chosen, token.after);
  const limit = query.limit === undefined || query.limit <= 0 ? chosen.length : Math.min(query.limit, maxLimit);
  const items = chosen.slice(start, start + limit);
  const remaining = chosen.length - start - items.length;
  const last = items.at(-1);
  return {
    items,
    metadata: {
      resourceVersion: String(at),
      ...(remaining > 0 && last !== undefined
        ? {
            continue: formatToken({ revision: at, after: keyOf(last.metadata.namespace, last.metadata.name) }),
            remainingItemCount: remaining,
          }
        : {}),
    },
  };
}

function firstAfter(objects: readonly KubeObject[], key: string): number {
  const index = objects.findIndex(({ metadata }) => keyOf(metadata.namespace, metadata.name) > key);
  return index < 0 ? objects.length : index;
}

function formatToken(token: ContinueToken): string {
  return Buffer.from(JSON.stringify([token.revision, token.after])).toString('base64url');
}

function parseToken(text: string): ContinueToken {
  try {
    const [revision, after] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as readonly unknown[];
    if (typeof revision === 'number' && Number.isSafeInteger(revision) && typeof after === 'string') {
      return { revision, after };
    }
  } catch {
    // Falls through to the refusal.
  }
  throw badRequest('continue key is not valid: use the one that the API gave, with the same query');
}
