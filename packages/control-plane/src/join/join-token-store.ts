import { type Clock, type Logger, MeshError } from '@weft/base';
import { formatWorkloadId, type SpiffeId } from '@weft/identity';
import { createJoinToken, hashJoinToken, type JoinToken, parseJoinToken, sameHash } from '@weft/identity/authority';
import type { ResourceClient, Secret } from '@weft/resources';

/** Type of the Secrets that stand for join tokens. */
const joinTokenSecretType = 'weft.dev/join-token';
/** Default life of a token, milliseconds. */
const defaultTokenTtlMs = 10 * 60_000;
const minTokenTtlMs = 10_000;
const maxTokenTtlMs = 3_600_000;
/** Used tokens that are remembered, to tell a used one from a forged one. */
const maxRemembered = 10_000;
/** Tokens that may wait for their use at the same time. */
const maxPendingTokens = 10_000;

const secretKind = { group: '', version: 'v1', kind: 'Secret' } as const;
const systemNamespace = 'weft-system';
/** Who the control plane's own servers are: no workload can become it. */
export const controlPlaneAccount = { namespace: systemNamespace, serviceAccount: 'weft-control-plane' } as const;

export interface IssuedJoinToken {
  readonly token: JoinToken;
  readonly identity: SpiffeId;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** A token that was found and not used yet; {@link consume} succeeds once, whoever races. */
export interface PendingToken {
  readonly identity: SpiffeId;
  /** @throws MeshError `TOKEN_INVALID` when somebody else was faster. */
  consume(): Promise<void>;
}

export interface JoinTokenStoreOptions {
  readonly client: ResourceClient;
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Join tokens. Of a token only its SHA-256 is kept, in a Secret named for it; using the token deletes the Secret, with its
 * version as precondition.
 */
export class JoinTokenStore {
  readonly #options: JoinTokenStoreOptions;
  readonly #used = new Set<string>();

  constructor(options: JoinTokenStoreOptions) {
    this.#options = options;
  }

  /**
   * A new token for one service account. The account need not exist yet.
   * @param ttlMs default {@link defaultTokenTtlMs}, between 10 s and 1 h.
   * @throws MeshError `INVALID`, `FORBIDDEN` for the control plane's own identity, `TOO_LARGE` when too many tokens wait.
   */
  async create(namespace: string, serviceAccount: string, ttlMs = defaultTokenTtlMs): Promise<IssuedJoinToken> {
    if (!(ttlMs >= minTokenTtlMs && ttlMs <= maxTokenTtlMs)) {
      throw new MeshError(
        'INVALID',
        `a join token lives between ${minTokenTtlMs / 1_000} and ${maxTokenTtlMs / 1_000} seconds`,
      );
    }
    const { client, trustDomain, clock } = this.#options;
    const identity = formatWorkloadId({ trustDomain, namespace, serviceAccount });
    if (namespace === controlPlaneAccount.namespace && serviceAccount === controlPlaneAccount.serviceAccount) {
      throw new MeshError('FORBIDDEN', `${identity} is the control plane itself; no workload can have this identity`, {
        hint: 'Use another service account.',
      });
    }
    const waiting = await this.#sweep();
    if (waiting >= maxPendingTokens) {
      throw new MeshError('TOO_LARGE', `${waiting} join tokens wait for their use, which is the limit`, {
        hint: 'Wait until some of them have expired.',
      });
    }
    const token = createJoinToken();
    const hash = hashJoinToken(token);
    const expiresAt = clock.now() + ttlMs;
    const encode = (value: string): string => Buffer.from(value).toString('base64');
    await client.create<Secret>({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secretName(hash), namespace: systemNamespace, labels: { 'weft.dev/managed-by': 'weft-join' } },
      type: joinTokenSecretType,
      data: {
        sha256: encode(hash),
        identity: encode(identity),
        expiresAt: encode(new Date(expiresAt).toISOString()),
      },
    });
    return { token, identity, expiresAt };
  }

  /**
   * Looks a token up.
   * @param text what the workload presented.
   * @throws MeshError `TOKEN_INVALID` when it is forged, expired or used. The message never quotes the token.
   */
  async find(text: string): Promise<PendingToken> {
    const token = parseJoinToken(text);
    if (token === undefined) {
      throw refused('it does not have the form of a join token');
    }
    const hash = hashJoinToken(token);
    if (this.#used.has(hash)) {
      throw refused('it was used already: a join token works once');
    }
    const secret = await this.#read(hash);
    if (secret === undefined) {
      throw refused('it is not known here: it was forged, was used, or expired a while ago');
    }
    const stored = storedToken(secret);
    if (secret.type !== joinTokenSecretType || !sameHash(stored.hash, hash)) {
      throw refused('it is not known here: it was forged, was used, or expired a while ago');
    }
    if (!(this.#options.clock.now() < stored.expiresAt)) {
      throw refused(`it expired at ${new Date(stored.expiresAt).toISOString()}`);
    }
    return { identity: stored.identity, consume: () => this.#consume(hash, secret) };
  }

  async #read(hash: string): Promise<Secret | undefined> {
    try {
      return await this.#options.client.get<Secret>(secretKind, secretName(hash), systemNamespace);
    } catch (error) {
      if (MeshError.from(error).code === 'NOT_FOUND') {
        return undefined;
      }
      throw error;
    }
  }

  async #consume(hash: string, secret: Secret): Promise<void> {
    const { uid, resourceVersion, name } = secret.metadata;
    try {
      await this.#options.client.delete(secretKind, name, systemNamespace, {
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      });
    } catch (error) {
      const { code } = MeshError.from(error);
      if (code === 'NOT_FOUND' || code === 'CONFLICT') {
        throw refused('it was used already: a join token works once');
      }
      throw error;
    }
    if (this.#used.size >= maxRemembered) {
      const [oldest] = this.#used;
      this.#used.delete(oldest ?? '');
    }
    this.#used.add(hash);
  }

  /** Removes tokens that expired more than an hour ago; until then their error says that they did. */
  async #sweep(): Promise<number> {
    const { client, clock, logger } = this.#options;
    const { items } = await client.list<Secret>(secretKind, {
      namespace: systemNamespace,
      labelSelector: 'weft.dev/managed-by=weft-join',
    });
    let waiting = 0;
    for (const secret of items) {
      if (secret.type !== joinTokenSecretType) {
        continue;
      }
      const { expiresAt } = storedToken(secret);
      if (expiresAt + 3_600_000 > clock.now()) {
        waiting += 1;
        continue;
      }
      try {
        await client.delete(secretKind, secret.metadata.name, systemNamespace);
      } catch (error) {
        logger.debug('expired join token not removed', { error: MeshError.from(error).message });
      }
    }
    return waiting;
  }
}

/** The whole hash is in the name: what is unique by its name can be used up by one deletion only. */
function secretName(hash: string): string {
  return `join-token-${hash}`;
}

function storedToken(secret: Secret): {
  readonly hash: string;
  readonly identity: SpiffeId;
  readonly expiresAt: number;
} {
  const read = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  return { hash: read('sha256'), identity: read('identity') as SpiffeId, expiresAt: Date.parse(read('expiresAt')) };
}

function refused(reason: string): MeshError {
  return new MeshError('TOKEN_INVALID', `the join token is refused: ${reason}`);
}
