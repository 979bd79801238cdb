import assert from "node:assert/strict";
import { join } from "node:path";
import { makeFolder } from "../../support/temporary_folder.ts";
import { canRunTasks, PROJECT, runCommand } from "../../support/run_task.ts";

/** The blocks of code in docs/library.md. */
async function examples(): Promise<string[]> {
  const page = await Deno.readTextFile(join(PROJECT, "docs/library.md"));
  return [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}

Deno.test({
  name: "each example of docs/library.md compiles and runs in a user's project that imports lrcn by one line",
  ignore: !canRunTasks,
  async fn() {
    const codes = await examples();
    assert(codes.length >= 7, `${codes.length} examples were found`);
    const names = codes.map((_, index) => `example_${index + 1}.ts`);
    await using folder = await makeFolder({
      "deno.json": JSON.stringify({ imports: { "@lrcn/lrcn": join(PROJECT, "mod.ts") } }),
      ...Object.fromEntries(codes.map((code, index) => [names[index], code])),
      "all.ts": names.map((name) => `await import("./${name}");\nconsole.log("ran ${name}");\n`).join(""),
    });
    await copyFolder(join(PROJECT, "docs/example"), join(folder.path, "docs/example"));
    const inFolder = (...args: string[]) =>
      runCommand(["sh", "-c", 'cd "$0" && exec "$@"', folder.path, Deno.execPath(), ...args], folder.path);

    assert.deepEqual(await inFolder("check", "--quiet", "all.ts"), { code: 0, stdout: "", stderr: "" });
    const library = join(PROJECT, "native/build/liblrcn.so");
    const permissions = [`--allow-ffi=${library}`, "--allow-read", "--allow-write", "--allow-sys=statfs"];
    const ended = await inFolder("run", "--quiet", "--no-prompt", ...permissions, "all.ts");
    assert.deepEqual([ended.code, ended.stderr], [0, ""], ended.stdout);
    for (const name of names) assert(ended.stdout.includes(`ran ${name}\n`), name);
  },
});
