import type { OpenCacheFile } from "./cache_writer.ts";

/** The disk as seen by a cache; tests replace it. */
export interface CacheDisk {
  /** Free bytes on a folder's disk; undefined if unknown. */
  readonly freeBytes: (folder: string) => Promise<number | undefined>;
  /** Opens a file for writing. */
  readonly open: OpenCacheFile;
  /** The current time in milliseconds since 1970. */
  readonly now: () => number;
  /**
   * Free bytes to leave for the run's checkpoints and features, which follow its images.
   *
   * @default {2 GB}
   */
  readonly reserve: number;
}
