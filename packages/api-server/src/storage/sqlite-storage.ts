import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type ErrorCode, MeshError } from '@weft/base';
import type { Storage, StorageChange, StorageContent, StorageRecord } from './storage.ts';

/** Layout of the file; another number is refused instead of guessed at. */
const schemaVersion = 1;

export interface SqliteStorageOptions {
  /** The database file; made with mode 0600 when missing. `:memory:` keeps nothing. */
  readonly path: string;
}

/**
 * Opens the SQLite storage: one file, write-ahead log, `synchronous=FULL` (each commit is synced before it is
 * acknowledged), locked for this process alone.
 * @throws MeshError ALREADY_RUNNING when another process holds the file, STORAGE_CORRUPT, PERMISSION_DENIED, DISK_FULL.
 */
export function openSqliteStorage(options: SqliteStorageOptions): Storage {
  try {
    return new SqliteStorage(options.path);
  } catch (error) {
    throw storageError(error, options.path);
  }
}

class SqliteStorage implements Storage {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #setRevision: StatementSync;
  #open = true;

  constructor(path: string) {
    this.#path = path;
    if (path !== ':memory:') {
      closeSync(openSync(path, 'a', 0o600));
      chmodSync(path, 0o600);
    }
    this.#db = new DatabaseSync(path);
    try {
      // Exclusive locking keeps a second control plane out, and needs no shared-memory file; the lock dies with the process.
      this.#db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      this.#db.exec(
        'PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -2000;',
      );
      this.#migrate();
      this.#put = this.#db.prepare(
        'INSERT INTO object (resource, namespace, name, revision, value) VALUES (?, ?, ?, ?, ?) ' +
          'ON CONFLICT (resource, namespace, name) DO UPDATE SET revision = excluded.revision, value = excluded.value',
      );
      this.#delete = this.#db.prepare('DELETE FROM object WHERE resource = ? AND namespace = ? AND name = ?');
      this.#setRevision = this.#db.prepare('UPDATE state SET revision = ?');
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #migrate(): void {
    const version = Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version === schemaVersion) {
      // A write that changes nothing takes the exclusive lock now instead of at the first real write.
      this.#db.exec('BEGIN IMMEDIATE; COMMIT');
      return;
    }
    if (version !== 0) {
      throw new MeshError(
        'STORAGE_CORRUPT',
        `${this.#path} has layout ${version}; this version knows ${schemaVersion}`,
        {
          hint: 'Use the version of Weft that wrote the file, or start with another state folder.',
        },
      );
    }
    this.#db.exec(`
      BEGIN IMMEDIATE;
      CREATE TABLE object (
        resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
        revision INTEGER NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (resource, namespace, name)
      ) WITHOUT ROWID;
      CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL);
      INSERT INTO state (only, revision) VALUES (1, 0);
      PRAGMA user_version = ${schemaVersion};
      COMMIT;`);
  }

  async load(): Promise<StorageContent> {
    try {
      const state = this.#db.prepare('SELECT revision FROM state').get();
      const rows = this.#db
        .prepare('SELECT resource, namespace, name, revision, value FROM object')
        .all() as unknown as StorageRecord[];
      return { revision: Number(state?.['revision'] ?? 0), records: rows };
    } catch (error) {
      throw storageError(error, this.#path);
    }
  }

  async commit(changes: readonly StorageChange[], revision: number): Promise<void> {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const change of changes) {
        if (change.value === undefined) {
          this.#delete.run(change.resource, change.namespace, change.name);
        } else {
          this.#put.run(change.resource, change.namespace, change.name, change.revision, change.value);
        }
      }
      this.#setRevision.run(revision);
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#rollBack();
      throw storageError(error, this.#path);
    }
  }

  #rollBack(): void {
    // SQLite may have rolled back by itself (disk full, I/O error); a second ROLLBACK would then hide the first error.
    if (this.#open && this.#db.isTransaction) {
      this.#db.exec('ROLLBACK');
    }
  }

  async close(): Promise<void> {
    if (this.#open) {
      this.#open = false;
      this.#db.close();
    }
  }
}

/** SQLite's primary result codes (https://sqlite.org/rescode.html) that an operator can do something about. */
const codes: Readonly<Record<number, ErrorCode>> = {
  3: 'PERMISSION_DENIED',
  5: 'ALREADY_RUNNING',
  6: 'ALREADY_RUNNING',
  8: 'PERMISSION_DENIED',
  11: 'STORAGE_CORRUPT',
  13: 'DISK_FULL',
  14: 'PERMISSION_DENIED',
  26: 'STORAGE_CORRUPT',
};

function storageError(error: unknown, path: string): MeshError {
  if (error instanceof MeshError) {
    return error;
  }
  const result = (error as { errcode?: unknown }).errcode;
  const primary = typeof result === 'number' ? result & 0xff : undefined;
  if (primary === undefined) {
    const system = MeshError.from(error);
    const code = system.code === 'INTERNAL' ? 'STORAGE_FAILED' : system.code;
    return new MeshError(code, `storage ${path}: ${system.message}`, { cause: error });
  }
  const code = codes[primary] ?? 'STORAGE_FAILED';
  return new MeshError(code, `storage ${path}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
    ...(code === 'ALREADY_RUNNING'
      ? { hint: 'Another control plane uses this state folder: stop it, or set WEFT_HOME.' }
      : {}),
  });
}
