import type { OpenCacheFile } from "./cache_writer.ts";

/** The disk, as far as a cache needs it. */
export interface CacheDisk {
  /** Bytes that a folder's disk has left; undefined where they are not known. */
  readonly freeBytes: (folder: string) => Promise<number | undefined>;
  /** Opens a file to be written. */
  readonly open: OpenCacheFile;
  /** The present time in milliseconds since 1970. */
  readonly now: () => number;
  /**
   * Bytes that are left to others: a run's checkpoints and features come after its images.
   *
   * @default {2 GB}
   */
  readonly reserve: number;
}
