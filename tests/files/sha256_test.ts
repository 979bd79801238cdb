import assert from "node:assert/strict";
import { sha256 } from "../../src/files/sha256.ts";

Deno.test("sha256() gives the digests of FIPS 180-2's examples", async () => {
  const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.equal(await sha256("abc"), digest);
  assert.equal(await sha256(Uint8Array.of(0x61, 0x62, 0x63)), digest);
  assert.equal(
    await sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
});
