import type { z } from "zod";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";

/** Strings, and outside of them what Python writes although JSON has no such thing: NaN, Infinity, a trailing comma. */
const PYTHON_JSON = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b|,(?=\s*[\]}])/gs;

/**
 * Parses a text. NaN and Infinity, as Python writes them, become null, and trailing commas are ignored.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If it is not JSON.
 */
export function parseJson(text: string, file: string): unknown {
  let fault: SyntaxError;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    fault = error;
  }
  try {
    return JSON.parse(text.replace(PYTHON_JSON, (part) => part.startsWith('"') ? part : part === "," ? " " : "null"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new InputError(
    `Cannot read captions: ${placeOf(fault, text)}${file} is not JSON; correct it or fetch the file again`,
    {
      cause: fault,
    },
  );
}

/** Characters before the fault in V8's excerpt of a text. */
const BEFORE_FAULT = 10;

/** The line of a fault, as far as the message of `JSON.parse` says where it is: "line 3 of ". */
function placeOf({ message }: SyntaxError, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  const excerpt = /^Unexpected token .*?, (?:\.\.\.)?"(.*)"(?:\.\.\.)? is not valid JSON$/s.exec(message)?.[1] ?? "";
  const first = excerpt === "" ? -1 : text.indexOf(excerpt);
  const isKnown = first >= 0 && text.indexOf(excerpt, first + 1) < 0;
  const end = position !== undefined ? Number(position) : isKnown ? first + BEFORE_FAULT : undefined;
  return end === undefined ? "" : `line ${text.slice(0, end).split("\n").length} of `;
}

/** Validates a value; on failure says what is wrong: "has no 'image'". */
export function checked<Type>(value: unknown, schema: z.ZodType<Type>): { value: Type } | { wrong: string } {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data };
  const [issue] = result.error.issues;
  const path = issue?.path.join(".") ?? "";
  if (path === "") return { wrong: `is not valid: ${issue?.message ?? ""}` };
  const missing = issue?.code === "invalid_type" && issue.message.endsWith("received undefined");
  return { wrong: missing ? `has no ${quoted(path)}` : `has a wrong ${quoted(path)}: ${issue?.message}` };
}
