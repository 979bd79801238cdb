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
  EFBIG: "it is larger than the file system allows, choose another disk",
  EIO: "the disk failed, check it or choose another",
  ENAMETOOLONG: "its name is too long",
};

/** The operating system's error code, for example `ENOSPC`; empty if there is none. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : "";
}

/** Describes a failed file operation on one line, without the path. */
export function fileErrorReason(error: unknown): string {
  const known = REASONS[errorCode(error)];
  if (known !== undefined) return known;
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s+/g, " ");
}
