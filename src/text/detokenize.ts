import type { TokenizerName } from "./tokenizer.ts";
import { type Attachment, Quotes } from "./quotes.ts";

/** Options of {@linkcode detokenize}. */
export interface DetokenizeOptions {
  /**
   * The tokenizer that made the tokens.
   *
   * @default {"nltk"}
   */
  readonly tokenizer?: TokenizerName | undefined;
}

const CLITIC = /^(?:n't|'(?:s|m|d|ll|re|ve))$/;
const CLOSING = /^(?:[.,!?;:…،؛؟।॥、。！，．：；？]|\.{2,}|[%‰°％>\p{Pe}])$/u;
const OPENING = /^[<$#¿¡\p{Ps}]$/u;
const CURRENCY = /^\p{Sc}$/u;
const NUMBER = /^\p{Nd}/u;

const BINDS_WORDS = /^[-‐‑/]$/;
const WORD_END = /[\p{L}\p{M}\p{N}]$/u;
const WORD_START = /^[\p{L}\p{N}]/u;
const SINGLE_LETTER = /^\p{L}$/u;

/** Words that NLTK splits in two. */
const CUT_WORDS: ReadonlySet<string> = new Set(
  ["can not", "d 'ye", "gim me", "gon na", "got ta", "lem me", "more 'n", "wan na", "'t is", "'t was"],
);

const CHINESE_OR_JAPANESE = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\uff01-\uff65]/u;
const SOUTH_EAST_ASIAN = /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const HANGUL = /\p{Script=Hangul}/u;
const LETTER_OR_NUMBER = /[\p{L}\p{M}\p{N}]/u;

/**
 * Joins tokens into text, with spaces if the language has them: English, any other language with spaces between words,
 * or one without. The first letter's case is unchanged.
 *
 * @example A contraction and a full stop
 * ```ts
 * import assert from "node:assert/strict";
 * import { detokenize } from "@lrcn/lrcn/data";
 *
 * const text = detokenize(["a", "man", "'s", "dog", "does", "n't", "bark", "."]);
 * assert.equal(text, "a man's dog doesn't bark.");
 * ```
 */
export function detokenize(tokens: readonly string[], options: DetokenizeOptions = {}): string {
  const { tokenizer = "nltk" } = options;
  const joined = tokenizer === "nltk" ? isCutByNltk : isCutByUnicode;
  const quotes = new Quotes(tokens);
  let text = "";
  let previous = "";
  let attached = true;
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1] ?? "";
    const { written = token, before, after } = quotes.read(token, { previous, next }) ?? read(token, next);
    const space =
      !(attached || before || isInNumber(tokens, index) || lacksSpaces(previous, token) || joined(tokens, index));
    text += space ? ` ${written}` : written;
    attached = after;
    previous = token;
  }
  return text;
}

function read(token: string, next: string): Attachment {
  return {
    before: CLITIC.test(token) || CLOSING.test(token),
    after: OPENING.test(token) || (CURRENCY.test(token) && NUMBER.test(next)),
  };
}

/** Minutes after an hour, or either side of a dash between numbers: 10:30, 5–10. */
function isInNumber(tokens: readonly string[], index: number): boolean {
  const [first = "", sign = "", second = "", third = ""] = around(tokens, index);
  if (sign === ":") return /^\d{1,2}$/.test(first) && /^[0-5]\d$/.test(second);
  if (sign === "–") return NUMBER.test(first) && NUMBER.test(second);
  return second === "–" && NUMBER.test(sign) && NUMBER.test(third);
}

function isCutByNltk(tokens: readonly string[], index: number): boolean {
  const [, before, after] = around(tokens, index);
  return CUT_WORDS.has(`${before} ${after}`);
}

/** Well-known, mother/daughter, u.s., 2마리, and a dash of two hyphens. */
function isCutByUnicode(tokens: readonly string[], index: number): boolean {
  const [first = "", before = "", after = "", last = ""] = around(tokens, index);
  if (before === "." && SINGLE_LETTER.test(first) && SINGLE_LETTER.test(after)) return true;
  if (BINDS_WORDS.test(before) && WORD_END.test(first) && WORD_START.test(after)) return true;
  if (BINDS_WORDS.test(after) && WORD_END.test(before) && WORD_START.test(last)) return true;
  return (before === "-" && after === "-") || (NUMBER.test(before) && HANGUL.test(after));
}

/** The two tokens before an index and the two from it on. */
function around(tokens: readonly string[], index: number): (string | undefined)[] {
  return [tokens[index - 2], tokens[index - 1], tokens[index], tokens[index + 1]];
}

/**
 * Chinese and Japanese have no spaces next to words of other scripts either, except Korean; Thai and its neighbors do.
 */
function lacksSpaces(before: string, after: string): boolean {
  const [last = "", first = ""] = [before.match(/.$/su)?.[0], after.match(/^./su)?.[0]];
  if (SOUTH_EAST_ASIAN.test(last)) return SOUTH_EAST_ASIAN.test(first);
  const [lastIs, firstIs] = [CHINESE_OR_JAPANESE.test(last), CHINESE_OR_JAPANESE.test(first)];
  if (lastIs && firstIs) return true;
  const other = lastIs ? first : last;
  return (lastIs || firstIs) && LETTER_OR_NUMBER.test(other) && !HANGUL.test(other);
}
