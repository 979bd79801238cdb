import assert from "node:assert/strict";
import { checkOwnGpu, chooseNumerics } from "../../src/ffi/device.ts";
import { InputError } from "../../src/input_error.ts";

const PLAIN = { bf16: false, cudaBf16: false, cudaDevices: 0 };
const CPU_WITH_BF16 = { ...PLAIN, bf16: true };
const TWO_GPUS = { bf16: false, cudaBf16: true, cudaDevices: 2 };
const OLD_GPU = { bf16: true, cudaBf16: false, cudaDevices: 1 };

Deno.test("chooseNumerics() takes a GPU if there is one, and bfloat16 where the device multiplies it", () => {
  assert.deepEqual(chooseNumerics({}, PLAIN), { device: "cpu", gpu: 0, precision: "fp32" });
  assert.deepEqual(chooseNumerics({}, CPU_WITH_BF16), { device: "cpu", gpu: 0, precision: "bf16" });
  assert.deepEqual(chooseNumerics({}, TWO_GPUS), { device: "cuda", gpu: 0, precision: "bf16" });
});

Deno.test("chooseNumerics() takes float32 on a GPU that has no bfloat16, whatever the processor has", () => {
  assert.deepEqual(chooseNumerics({}, OLD_GPU), { device: "cuda", gpu: 0, precision: "fp32" });
  assert.equal(chooseNumerics({ device: "cpu" }, OLD_GPU).precision, "bf16");
  assert.equal(chooseNumerics({ device: "cpu" }, TWO_GPUS).precision, "fp32");
});

Deno.test("chooseNumerics() keeps what is asked for", () => {
  for (const precision of ["fp32", "fp32-strict", "bf16", "fp64"] as const) {
    for (const info of [PLAIN, CPU_WITH_BF16, TWO_GPUS, OLD_GPU]) {
      assert.equal(chooseNumerics({ precision }, info).precision, precision);
    }
  }
  assert.equal(chooseNumerics({ device: "cuda" }, PLAIN).device, "cuda");
});

Deno.test("chooseNumerics() takes the only GPU that a process is shown, whatever its rank", () => {
  assert.equal(chooseNumerics({ gpu: 3 }, OLD_GPU).gpu, 0);
  assert.equal(chooseNumerics({ gpu: 1 }, TWO_GPUS).gpu, 1);
  // Not there: the library says so.
  assert.equal(chooseNumerics({ gpu: 3 }, TWO_GPUS).gpu, 3);
  assert.equal(chooseNumerics({ gpu: 3, device: "cpu" }, TWO_GPUS).gpu, 0);
});

Deno.test("checkOwnGpu() refuses processes without LOCAL_RANK only if they could share a GPU", () => {
  const without = { worldSize: 2, localRank: undefined };
  assert.throws(
    () => checkOwnGpu("cuda", without, TWO_GPUS),
    (error) => error instanceof InputError && /^Cannot choose among 2 GPUs: LOCAL_RANK/.test(error.message),
  );
  checkOwnGpu("cuda", { worldSize: 2, localRank: 1 }, TWO_GPUS);
  checkOwnGpu("cuda", { worldSize: 1, localRank: undefined }, TWO_GPUS);
  checkOwnGpu("cuda", without, OLD_GPU); // a machine each
  checkOwnGpu("cpu", without, TWO_GPUS);
});
