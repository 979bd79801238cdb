import type { z } from "zod";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";

/**
 * Parses a text.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If it is not JSON.
 */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const position = /at position (\d+)/.exec(error.message)?.[1];
    const line = position === undefined ? "" : `line ${text.slice(0, Number(position)).split("\n").length} of `;
    throw new InputError(`Cannot read captions: ${line}${file} is not JSON; correct it or fetch the file again`, {
      cause: error,
    });
  }
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
