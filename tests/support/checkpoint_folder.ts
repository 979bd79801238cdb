// A folder for one test, and tensors to put into it.

import { join } from "node:path";
import type { DType, TensorSource } from "../../src/checkpoint/tensor.ts";
import { DTYPE_BYTES } from "../../src/checkpoint/tensor.ts";
import { canRead, canWrite } from "./test_data.ts";

/** For `Deno.test`: these tests write and read files. */
export const NEEDS_FILES: { ignore: boolean } = { ignore: !canRead || !canWrite };

/** A folder that is removed with all in it when the test ends. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string; file(name: string): string }> {
  const path = await Deno.makeTempDir({ prefix: "checkpoint-" });
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Names in a folder, sorted. */
export function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
}

/** A tensor whose element i is (i + 1) / 8, or i + 1 for integers. */
export function counting(name: string, dtype: DType, shape: readonly number[]): TensorSource {
  const elements = shape.reduce((product, size) => product * size, 1);
  const bytes = new Uint8Array(elements * DTYPE_BYTES[dtype]);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < elements; index++) {
    if (dtype === "F64") view.setFloat64(index * 8, (index + 1) / 8, true);
    else if (dtype === "F32") view.setFloat32(index * 4, (index + 1) / 8, true);
    else if (dtype === "I64") view.setBigInt64(index * 8, BigInt(index + 1), true);
    else bytes[index] = index + 1;
  }
  return { name, dtype, shape, read: () => Promise.resolve(bytes) };
}

/** The elements as in the JSON of the golden scripts: 64-bit integers as strings. */
export function elements(dtype: DType, bytes: Uint8Array<ArrayBuffer>): (number | string)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / DTYPE_BYTES[dtype] }, (_, index) => {
    if (dtype === "F64") return view.getFloat64(index * 8, true);
    if (dtype === "F32") return view.getFloat32(index * 4, true);
    if (dtype === "F16") return view.getFloat16(index * 2, true);
    if (dtype === "I64") return `${view.getBigInt64(index * 8, true)}`;
    if (dtype === "U8") return view.getUint8(index);
    // bfloat16 is the upper half of a float32.
    return new Float32Array(Uint32Array.of(view.getUint16(index * 2, true) << 16).buffer)[0] ?? NaN;
  });
}
