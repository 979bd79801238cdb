/**
 * Captions to the tokens that captions are scored by.
 *
 * @module
 */

import { Automaton, DeadEnds } from "./automaton.ts";
import { RULES } from "./rules.ts";
import { trimEnd } from "../python_characters.ts";

/**
 * Tokens that count for no score. Round and curly brackets do count: by the time that they are looked for, their names
 * are in small letters.
 */
const PUNCTUATION: ReadonlySet<string> = new Set(
  ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"],
);

/** The rules in a form that finds the longest match. */
interface Lexer {
  readonly rules: Automaton;
  /** For each rule with something that must follow, the automata of the match and of what follows. */
  readonly parts: readonly ({ match: Automaton; before: Automaton } | undefined)[];
}

let lexer: Lexer | undefined;

function createLexer(): Lexer {
  return {
    rules: new Automaton(
      RULES.map(({ pattern, before }) => before === undefined ? pattern : `(${pattern})(${before})`),
    ),
    parts: RULES.map(({ pattern, before }) =>
      before === undefined ? undefined : { match: new Automaton([pattern]), before: new Automaton([before]) }
    ),
  };
}

/**
 * Splits a caption into the tokens that BLEU, ROUGE-L and CIDEr are computed from: in small letters, without
 * punctuation. Equal to pycocoevalcap 1.2's `PTBTokenizer` (Stanford CoreNLP 3.4.1), but for two things. That reads all
 * captions as one text, and takes `plan b.` for `plan b` where the next caption begins with `The`; here a caption is
 * read by itself. And letters that Unicode has had only since version 7 are passed over there, and kept here.
 *
 * @param caption One caption; a line's end in it is a space.
 * @returns The tokens in their order; none for a caption of punctuation alone.
 *
 * @example Tokens of a caption
 * ```ts
 * import assert from "node:assert/strict";
 * import { ptbTokenize } from "@lrcn/lrcn";
 *
 * assert.deepEqual(ptbTokenize("The dog's ball isn't red."), ["the", "dog", "'s", "ball", "is", "n't", "red"]);
 * ```
 */
export function ptbTokenize(caption: string): string[] {
  lexer ??= createLexer();
  const text = `${caption.replaceAll("\n", " ")}\n`;
  const tokens: string[] = [];
  const dead = new DeadEnds(text.length);
  for (let at = 0; at < text.length;) {
    const match = lexer.rules.longest(text, at, dead);
    if (match === undefined) {
      at++;
      continue;
    }
    const end = endOf(lexer, match.pattern, text, at, match.end);
    const matched = text.slice(at, end);
    const { token, length } = RULES[match.pattern]?.read?.(matched) ?? { token: matched, length: matched.length };
    at += length;
    if (token !== undefined) tokens.push(token.toLowerCase());
  }
  // An address may hold a space that does not break; at the line's end it is lost with the line's other space.
  const last = tokens.pop();
  if (last !== undefined) tokens.push(trimEnd(last));
  return tokens.filter((token) => !PUNCTUATION.has(token));
}

/** The last place where the match itself may end when what must follow it ends at `end`. */
function endOf({ parts }: Lexer, rule: number, text: string, start: number, end: number): number {
  const part = parts[rule];
  if (part === undefined) return end;
  const ends = part.match.ends(text, start, end);
  return ends.findLast((each) => part.before.ends(text, each, end).at(-1) === end) ?? end;
}
