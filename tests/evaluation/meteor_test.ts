import assert from "node:assert/strict";
import { join } from "node:path";
import { meteor } from "../../src/evaluation/meteor.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canRun, canWrite } from "../support/test_data.ts";

const CAPTIONS = [
  { caption: ["a", "kite"], references: [["a", "red", "kite"], ["kite"]] },
  { caption: ["two", "|||", "boats"], references: [["boats"]] },
];

/** A program in place of Java that echoes each line. */
async function meteorOf(script: string) {
  await using folder = await makeFolder({ "java": `#!/bin/sh\necho "$@" > "$(dirname "$0")/args"\n${script}\n` });
  const java = join(folder.path, "java");
  await Deno.chmod(java, 0o755);
  const result = await meteor(CAPTIONS, { jar: "/opt/meteor-1.5.jar", java });
  const read = (name: string) => Deno.readTextFile(join(folder.path, name));
  return { result, args: await read("args"), asked: await read("asked") };
}

const ignore = !canRead || !canWrite || !canRun;

Deno.test({
  name: "meteor() runs its authors' program as pycocoevalcap does, and takes the last answer as the mean",
  ignore,
  async fn() {
    const { result, args, asked } = await meteorOf(`
      count=0
      while read -r line; do
        echo "$line" >> "$(dirname "$0")/asked"
        case "$line" in
          SCORE*) count=$((count + 1)); echo "$count.0 7.0" ;;
          EVAL*) echo 0.25; echo 0.5; echo 0.4 ;;
        esac
      done`);
    assert.deepEqual(result, { mean: 0.4, captions: [0.25, 0.5] });
    assert.match(args, / -jar -Xmx2G \/opt\/meteor-1\.5\.jar - - -stdio -l en -norm\n$/);
    assert.deepEqual(asked.trimEnd().split("\n"), [
      "SCORE ||| a red kite ||| kite ||| a kite",
      "SCORE ||| boats ||| two boats",
      "EVAL ||| 1.0 7.0 ||| 2.0 7.0",
    ]);
  },
});

Deno.test({
  name: "meteor() fixes the locale on Java's command line, and empties the variable that is stronger",
  ignore,
  async fn() {
    const { result, args } = await meteorOf(`
      echo > "$(dirname "$0")/asked"
      [ "\${_JAVA_OPTIONS-unset}" = "" ] || exit 1
      while read -r line; do
        case "$line" in SCORE*) echo "1.0 7.0" ;; EVAL*) echo 0.25; echo 0.5; echo 0.4 ;; esac
      done`);
    assert.equal(result.mean, 0.4);
    for (const option of ["language=en", "country=US", "language.format=en", "country.format=US", "extensions="]) {
      assert(args.split(" ").includes(`-Duser.${option}`), args);
    }
  },
});

Deno.test({
  name: "meteor() says in one line if the program is missing, ends early or gives an invalid answer",
  ignore,
  async fn() {
    await assert.rejects(
      meteor(CAPTIONS, { jar: "m.jar", java: "/nowhere/java" }),
      /^InputError: Cannot run '\/nowhere\/java'/,
    );
    await assert.rejects(meteorOf("exit 1"), /ended early; give meteor-1\.5\.jar with its data$/);
    await assert.rejects(
      meteorOf("while read -r line; do echo error; done"),
      /answered 'error'; give meteor-1\.5\.jar$/,
    );
  },
});
