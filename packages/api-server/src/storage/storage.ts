/** One stored object: `value` is its JSON text. */
export interface StorageRecord {
  /** `<plural>.<group>`, or `<plural>` in the core group. */
  readonly resource: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  /** The global version at which it was last written. */
  readonly revision: number;
  readonly value: string;
}

/** One change of a batch; `value` undefined deletes. */
export interface StorageChange {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly value: string | undefined;
}

/** What a storage held when it was opened. */
export interface StorageContent {
  /** The highest revision ever committed, also of objects that were deleted since. */
  readonly revision: number;
  readonly records: Iterable<StorageRecord>;
}

/**
 * Where objects outlive the process. The server keeps everything in memory as well and reads the storage once, at its
 * start; the storage's one job afterwards is to make batches durable.
 */
export interface Storage {
  /** @throws MeshError STORAGE_CORRUPT when what is there cannot be read. */
  load(): Promise<StorageContent>;
  /**
   * Applies all changes or none; when it resolves they survive the loss of power. `revision` is the highest of the batch.
   * @throws MeshError DISK_FULL, STORAGE_FAILED, PERMISSION_DENIED; then nothing of the batch is stored.
   */
  commit(changes: readonly StorageChange[], revision: number): Promise<void>;
  close(): Promise<void>;
}
