// Starts a writer for the first folder, and prints what may be written: by the process, and by the writer there and elsewhere.

import { startLabelsWriter } from "../../../src/server/label/labels_writer.ts";

const [folder = "", elsewhere = ""] = Deno.args;
using writer = await startLabelsWriter(folder);

async function canWrite(write: () => Promise<void>): Promise<boolean> {
  return await write().then(() => true, () => false);
}

const results = {
  process: await canWrite(() => Deno.writeTextFile(`${folder}/process.csv`, "")),
  inside: await canWrite(() => writer.write(`${folder}/labels.csv`, "image,caption,source\n")),
  elsewhere: await canWrite(() => writer.write(`${elsewhere}/labels.csv`, "")),
};
console.log(JSON.stringify(results));
