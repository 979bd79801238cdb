import { Automaton, DeadEnds } from "./automaton.ts";
import { RULES } from "./rules.ts";
import { trimEnd } from "../python_characters.ts";

/**
 * Tokens that scores ignore. Round and curly brackets do count: they are looked up after lower-casing, which changes
 * their names.
 */
const PUNCTUATION: ReadonlySet<string> = new Set(
  ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"],
);

interface Lexer {
  readonly rules: Automaton;
  /** For each rule with a required continuation, the automata of the match and of the continuation. */
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
 * Splits a caption into the tokens for BLEU, ROUGE-L and CIDEr: lower-case, without punctuation. Equal to pycocoevalcap
 * 1.2's `PTBTokenizer` (Stanford CoreNLP 3.4.1), with two exceptions. That reads all captions as one text, and takes
 * `plan b.` for `plan b` if the next caption begins with `The`; here each caption is read by itself. And it drops
 * letters added since Unicode 7, which are kept here.
 *
 * @param caption One caption; a line break counts as a space.
 *
 * @example Tokens of a caption
 * ```ts
 * import assert from "node:assert/strict";
 * import { ptbTokenize } from "@lrcn/lrcn/metrics";
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
  // An address may contain a no-break space; at the end of a line it is stripped with the other spaces.
  const last = tokens.pop();
  if (last !== undefined) tokens.push(trimEnd(last));
  return tokens.filter((token) => !PUNCTUATION.has(token));
}

/** The last possible end of the match itself, if the text that must follow it ends at `end`. */
function endOf({ parts }: Lexer, rule: number, text: string, start: number, end: number): number {
  const part = parts[rule];
  if (part === undefined) return end;
  const ends = part.match.ends(text, start, end);
  return ends.findLast((each) => part.before.ends(text, each, end).at(-1) === end) ?? end;
}
