/**
 * Captions to tokens, as NLTK's `word_tokenize(caption.lower())` gives them.
 *
 * @module
 */

import { splitSentences } from "./punkt.ts";
import { PYTHON_SPACE, PYTHON_WORD, REGEX_SPACE, REGEX_WORD } from "./python_characters.ts";

const before = `(?<![${PYTHON_WORD}])`;
const after = `(?![${PYTHON_WORD}])`;

function rule(pattern: string, replacement: string): readonly [RegExp, string] {
  return [new RegExp(pattern, "gu"), replacement];
}

/**
 * NLTK's substitutions in NLTK's order (NLTK 3.10.4, NLTKWordTokenizer), for lower-cased text. Python's case-blind
 * patterns also take the dotless i for i and the long s for s: those letters are spelled out where they can occur.
 */
const rules: readonly (readonly [RegExp, string])[] = [
  // Opening quotes.
  rule("[«“‘„]|`+", " $& "),
  rule('^"', "``"),
  rule("``", " $& "),
  rule(String.raw`([ (\[\{<])(?:"|'')`, "$1 `` "),
  rule(`(?<![${REGEX_WORD}])'(?!(?:re|ve|ll|m|t|[sſ]|d|n)(?![${REGEX_WORD}]))(?=[${REGEX_WORD}])`, "' "),
  // Punctuation. The lookahead with its back-reference keeps what it took, so that long runs of spaces cost linear time.
  rule(String.raw`([^.])\.(?=([\])\}>"'»”’ ]*))\2[${REGEX_SPACE}]*$`, "$1 . $2 "),
  rule(String.raw`([:,])(\P{Nd})`, " $1 $2"),
  rule(String.raw`[:,](?=\n?$)`, " $& "),
  rule(String.raw`\.{2,}`, " $& "),
  rule("[;@#$%&]", " $& "),
  rule(String.raw`[\u2012-\u2015]`, " $& "),
  rule(String.raw`([^.])\.([\])\}>"']*)[${REGEX_SPACE}]*$`, "$1 .$2 "),
  rule("[?!]", " $& "),
  rule("([^'])' ", "$1 ' "),
  rule(String.raw`\*`, " $& "),
  rule(String.raw`[\]\[()\{\}<>]`, " $& "),
  rule("--", " -- "),
  // The ends of the text count as spaces from here on.
  rule("^", " "),
  rule("$", " "),
  // Closing quotes and clitics.
  rule("[»”’]", " $& "),
  rule("''", " '' "),
  rule('"', " '' "),
  rule(`[${REGEX_SPACE}]+`, " "),
  rule("([^' ])('s|'m|'d|') ", "$1 $2 "),
  rule("([^' ])('ll|'re|'ve|n't) ", "$1 $2 "),
  // Contractions.
  rule(`${before}(can)(not)${after}`, " $1 $2 "),
  rule(`${before}(d)('ye)${after}`, " $1 $2 "),
  rule(`${before}(g[iı]m)(me)${after}`, " $1 $2 "),
  rule(`${before}(gon)(na)${after}`, " $1 $2 "),
  rule(`${before}(got)(ta)${after}`, " $1 $2 "),
  rule(`${before}(lem)(me)${after}`, " $1 $2 "),
  rule(`${before}(more)('n)${after}`, " $1 $2 "),
  rule(`${before}(wan)(na)(?=[${PYTHON_SPACE}])`, " $1 $2 "),
  rule(` ('t)([iı][sſ])${after}`, " $1 $2 "),
  rule(` ('t)(wa[sſ])${after}`, " $1 $2 "),
];

const spaces = new RegExp(`[${PYTHON_SPACE}]+`, "u");

function tokenizeSentence(sentence: string): string[] {
  let text = sentence;
  for (const [pattern, replacement] of rules) text = text.replace(pattern, replacement);
  return text.split(spaces).filter((token) => token !== "");
}

/**
 * Splits a caption into lower-case tokens: words, clitics, numbers and punctuation marks. Equal to NLTK 3.10.4's
 * `word_tokenize(caption.lower())` with its English sentence model.
 *
 * @param caption One caption, of one sentence or several.
 * @returns The tokens in their order; none for a blank caption.
 *
 * @example Tokens of a caption
 * ```ts
 * import { tokenize } from "./tokenizer.ts";
 *
 * console.log(tokenize("The dog's ball isn't red."));
 * // ["the", "dog", "'s", "ball", "is", "n't", "red", "."]
 * ```
 */
export function tokenize(caption: string): string[] {
  return splitSentences(caption.toLowerCase()).flatMap(tokenizeSentence);
}
