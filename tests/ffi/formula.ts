// The twin of `fill` in tests/golden/model.py: weights as a function of name and index, so that no file holds them.

/** `count` numbers in [-0.5, 0.5): FNV-1a of the name, then a multiply-xorshift mix of each index. */
export function fill(name: string, count: number): Float64Array<ArrayBuffer> {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return Float64Array.from({ length: count }, (_, index) => {
    let x = (Math.imul(index, 0x9e3779b1) + seed) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32 - 0.5;
  });
}

/** `count` integers in [0, below). */
export function integers(name: string, count: number, below: number): Int32Array<ArrayBuffer> {
  return Int32Array.from(fill(name, count), (value) => Math.floor((value + 0.5) * below));
}
