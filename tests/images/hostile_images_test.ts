import assert from "node:assert/strict";
import { join } from "node:path";
import { ImageDecoders } from "../../src/images/image_decoders.ts";
import { ImageError } from "../../src/images/image_error.ts";
import { canRead, canWrite } from "../support/test_data.ts";
import { writeHostileImages } from "./hostile_images.ts";
import { makeFolder } from "../support/temporary_folder.ts";

Deno.test({
  name: "ImageDecoders decodes the good ones among 60 hostile images and reports a fault for each other",
  ignore: !canRead || !canWrite,
  async fn() {
    await using folder = await makeFolder({});
    const { good, bad } = await writeHostileImages(folder.path);
    assert.equal(good.length - 12 + bad.length, 60);
    using decoders = new ImageDecoders({ count: 2 });
    const decode = (name: string) => decoders.decodeThen({ path: join(folder.path, name) }, ({ width }) => width);
    const results = await Promise.allSettled([...good, ...bad].map(decode));
    for (const [index, result] of results.entries()) {
      const name = [...good, ...bad][index] ?? "";
      if (index < good.length) assert.equal(result.status, "fulfilled", `${name}: ${JSON.stringify(result)}`);
      else assert.ok(result.status === "rejected" && result.reason instanceof ImageError, `${name} was decoded`);
    }
    const reason = async (name: string) => await decode(name).then(() => "", (error: ImageError) => error.reason);
    assert.match(await reason("16000-square.png"), /16000 x 16000 pixels, scale it down/);
    assert.match(await reason("60000-square.jpg"), /60000 x 60000 pixels, scale it down/);
    assert.match(await reason("many-scans.jpg"), /the JPEG is damaged .*progression/);
    assert.match(await reason("page.jpg"), /is a web page/);
    assert.match(await reason("folder.jpg"), /is a folder/);
  },
});
