// Header fields of a tar, as defined by POSIX.1-1988 (ustar) and GNU tar.

/**
 * Verifies a header's checksum.
 *
 * @param header 512 bytes.
 */
export function hasHeaderChecksum(header: Uint8Array): boolean {
  // The sum counts its own eight bytes as spaces. Some old programs added signed bytes.
  let sum = 8 * 32;
  let signed = 8 * 32;
  for (const [index, byte] of header.entries()) {
    if (index >= 148 && index < 156) continue;
    sum += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  const stored = headerNumber(header.subarray(148, 156));
  return stored === sum || stored === signed;
}

/** A field's text, up to the first NUL. */
export function headerField(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** A field's number: octal digits, or GNU's binary form for large numbers. Undefined if it is invalid. */
export function headerNumber(field: Uint8Array): number | undefined {
  const [first = 0, ...rest] = field;
  // 0xff begins a negative number.
  if (first === 0x80) return rest.reduce((number, byte) => number * 256 + byte, 0);
  const digits = headerField(field).trim();
  return /^[0-7]+$/.test(digits) ? parseInt(digits, 8) : undefined;
}
