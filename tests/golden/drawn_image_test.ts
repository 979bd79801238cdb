import assert from "node:assert/strict";
import { drawnImage } from "./drawn_image.ts";
import golden from "./resize.json" with { type: "json" };

Deno.test("drawnImage() draws what resize.py draws", async () => {
  for (const { width, height, sha256 } of golden.drawings) {
    const digest = await crypto.subtle.digest("SHA-256", drawnImage(width, height).pixels);
    assert.equal(new Uint8Array(digest).toHex(), sha256, `${width} x ${height}`);
  }
});
