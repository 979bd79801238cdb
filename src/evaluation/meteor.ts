import { fileErrorReason } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";
import type { CaptionScores } from "./rouge_l.ts";
import type { TokenizedCaption } from "./tokenized_caption.ts";

/** Options of {@linkcode meteor}. */
export interface MeteorOptions {
  /** The path of `meteor-1.5.jar`, with its `data` folder beside it. */
  readonly jar: string;
  /**
   * The Java program.
   *
   * @default {"java"}
   */
  readonly java?: string;
}

/** The program writes numbers and reads them again by the locale, and would stop at the "7,0" of an Italian one. */
const LOCALE = [
  ...["-Duser.language=en", "-Duser.country=US", "-Duser.language.format=en", "-Duser.country.format=US"],
  ...["-Duser.script=", "-Duser.variant=", "-Duser.extensions=", "-Dfile.encoding=UTF-8"],
];
/** These options would be stronger than those of the command line, unlike `JAVA_TOOL_OPTIONS`. */
const ENVIRONMENT = { _JAVA_OPTIONS: "" };

/**
 * METEOR (Denkowski and Lavie 2014), computed by its authors' program as pycocoevalcap 1.2 runs it.
 *
 * @param captions The captions' tokens, each with at least one reference.
 * @returns Scores from 0 to 1.
 * @throws {InputError} If the program cannot be run, or its answer is not valid.
 */
export async function meteor(captions: readonly TokenizedCaption[], options: MeteorOptions): Promise<CaptionScores> {
  const { jar, java = "java" } = options;
  await using program = start(java, [...LOCALE, "-jar", "-Xmx2G", jar, "-", "-", "-stdio", "-l", "en", "-norm"]);
  const statistics: string[] = [];
  for (const { caption, references } of captions) {
    const words = [...references, caption].map((tokens) =>
      tokens.join(" ").replaceAll("|||", "").replaceAll("  ", " ")
    );
    statistics.push(await program.ask(`SCORE ||| ${words.join(" ||| ")}`));
  }
  const scores = [numberOf(await program.ask(`EVAL ||| ${statistics.join(" ||| ")}`))];
  while (scores.length <= captions.length) scores.push(numberOf(await program.next()));
  // The corpus score comes after the captions' scores.
  return { mean: scores.at(-1) ?? NaN, captions: scores.slice(0, -1) };

  function numberOf(line: string): number {
    const value = Number(line);
    if (line.trim() !== "" && Number.isFinite(value)) return value;
    throw new InputError(`Cannot compute METEOR: '${jar}' answered '${line.slice(0, 80)}'; give meteor-1.5.jar`);
  }

  function start(command: string, args: readonly string[]) {
    let process: Deno.ChildProcess;
    try {
      process = new Deno.Command(command, {
        args: [...args],
        env: ENVIRONMENT,
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      throw new InputError(`Cannot run '${command}' for METEOR: ${fileErrorReason(error)}; install Java`, {
        cause: error,
      });
    }
    const writer = process.stdin.getWriter();
    const lines = linesOf(process.stdout);
    const ended = () =>
      new InputError(`Cannot compute METEOR: '${jar}' ended early; give meteor-1.5.jar with its data`);
    async function next(): Promise<string> {
      const line = await lines.next();
      if (line.done) throw ended();
      return line.value;
    }
    return {
      next,
      async ask(line: string): Promise<string> {
        try {
          await writer.write(new TextEncoder().encode(`${line}\n`));
        } catch {
          throw ended();
        }
        return await next();
      },
      async [Symbol.asyncDispose]() {
        await writer.close().catch(() => {});
        try {
          process.kill();
        } catch {
          // It has already ended.
        }
        await process.status;
        // A generator that was never asked for a line does not end its stream.
        if (!process.stdout.locked) await process.stdout.cancel();
        await lines.return();
      },
    };
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
