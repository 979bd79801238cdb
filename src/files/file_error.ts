/**
 * Words of error messages: what a failed file operation means, and what stands in a file.
 *
 * @module
 */

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder, check the path",
  ENOTDIR: "a part of the path is a file, not a folder",
  ELOOP: "its links lead in circles, correct them",
  EISDIR: "it is a folder, not a file",
  EACCES: "access is denied, check the permissions of the file and its folder",
  EPERM: "access is denied, check the permissions of the file and its folder",
  EROFS: "the folder is read-only, choose another",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "it is larger than the disk's file system allows, choose another disk",
  EIO: "the disk fails, check it or choose another",
  ENAMETOOLONG: "its name is too long",
};

const QUOTED_CHARACTERS = 80;
// What JSON leaves as it is although a terminal may obey it: other line ends, control sequences, the turning of text.
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * A word out of a file as an error message shows it: on one line, in quotes, shortened.
 *
 * @param word Any text.
 * @returns The quoted text.
 */
export function quoted(word: string): string {
  const short = word.length > QUOTED_CHARACTERS ? `${word.slice(0, QUOTED_CHARACTERS)}...` : word;
  return `'${printable(JSON.stringify(short).slice(1, -1))}'`;
}

/**
 * A text as a terminal may show it: on one line, and nothing in it is obeyed.
 *
 * @param text Any text, with paths and names that others have chosen.
 * @returns The text, with escapes in place of control characters.
 */
export function printable(text: string): string {
  return text.replaceAll(OBEYED, escapedUnit);
}

function escapedUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** The operating system's code of an error, for example `ENOSPC`; empty where it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/**
 * Words for a file operation's error, on one line.
 *
 * @param error What was thrown.
 * @returns The reason, without the path.
 */
export function fileErrorReason(error: unknown): string {
  const known = REASONS[errorCode(error)];
  if (known !== undefined) return known;
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s+/g, " ");
}
