const POINTER = /^version https?:\/\/\S+\/spec\/v\d+\r?\n(?:ext-\S+ .*\r?\n)*oid sha256:[\da-f]{64}\r?\nsize \d+/;

/** A pointer has no more bytes. */
export const MAX_POINTER_BYTES = 1024;
/** What such a file is, and what to do, for error messages. */
export const LFS_POINTER = "it is a pointer of Git LFS, not the file itself; run git lfs pull in its repository";

/** Recognizes the text that Git LFS leaves in place of a large file. */
export function isLfsPointer(text: string): boolean {
  return POINTER.test(text);
}
