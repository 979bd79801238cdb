const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder, check the path",
  ENOTDIR: "a part of the path is a file, not a folder",
  ELOOP: "its links form a loop, correct them",
  EISDIR: "it is a folder, not a file",
  EACCES: "access is denied, check the permissions of the file and its folder",
  EPERM: "access is denied, check the permissions of the file and its folder",
  EROFS: "the folder is read-only, choose another",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "it is larger than the file system or ulimit -f allows, choose another disk or raise the limit",
  EIO: "the disk failed, check it or choose another",
  ENAMETOOLONG: "its name is too long",
  EEXIST: "something else has its name, choose another",
  EMFILE: "too many files are open, raise the limit by ulimit -n",
  ENFILE: "the machine has too many files open, close other programs",
  ENOMEM: "memory is short, close other programs or raise the limit by ulimit -v",
};

/** Errors that Deno gives no code; their numbers are the same on Linux and macOS. */
const CODES: Readonly<Record<string, string>> = { 5: "EIO", 23: "ENFILE", 27: "EFBIG" };

/** The operating system's error code, for example `ENOSPC`; empty if there is none. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const code = "code" in error ? error.code : CODES[/\(os error (\d+)\)/.exec(error.message)?.[1] ?? ""];
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : "";
}

/** Why a file cannot be used of whose name Deno tells only a part. */
export const NOT_UTF8 = "its name is not UTF-8, rename it";

/**
 * Whether a path is not that of its file: Deno shows a replacement character for each byte of a name that is not UTF-8, and
 * finds no such file, or another one that is called so.
 */
export function isNotUtf8(path: string): boolean {
  return path.includes("\ufffd");
}

/** Describes a failed file operation on one line, without the path. */
export function fileErrorReason(error: unknown): string {
  const code = errorCode(error);
  // Deno's message contains the path.
  if (code === "ENOENT" && error instanceof Error && isNotUtf8(error.message)) return NOT_UTF8;
  const known = REASONS[code];
  if (known !== undefined) return known;
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s+/g, " ");
}
