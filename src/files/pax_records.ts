/** The pax records that readers of tar files need. */
export interface PaxRecords {
  /** The member's path. */
  name?: string;
  /** Its size in bytes. */
  size?: number;
  /** Only parts of it are stored. */
  sparse?: boolean;
}

/** Parses the records `length key=value` in the body of a pax header; undefined if they are damaged. */
export function readPaxRecords(bytes: Uint8Array): PaxRecords | undefined {
  const records: PaxRecords = {};
  const decoder = new TextDecoder();
  for (let at = 0; at < bytes.length;) {
    // Some programs pad the block with NULs.
    if (bytes[at] === 0) break;
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 || space - at > 8 ? "" : decoder.decode(bytes.subarray(at, space));
    const end = at + Number(digits);
    if (!/^[1-9]\d*$/.test(digits) || end <= space || end > bytes.length || bytes[end - 1] !== 0x0a) return undefined;
    const record = decoder.decode(bytes.subarray(space + 1, end - 1));
    const [key = ""] = record.split("=", 1);
    const value = record.slice(key.length + 1);
    if (key === "path") records.name = value;
    else if (key === "size") records.size = /^\d+$/.test(value) ? Number(value) : NaN;
    else if (key.startsWith("GNU.sparse.")) records.sparse = true;
    at = end;
  }
  return records;
}
