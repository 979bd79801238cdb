import { splitSentences } from "./punkt.ts";
import { PYTHON_SPACE, PYTHON_WORD, REGEX_SPACE, REGEX_WORD } from "./python_characters.ts";

const before = `(?<![${PYTHON_WORD}])`;
const after = `(?![${PYTHON_WORD}])`;

function rule(pattern: string, replacement: string): readonly [RegExp, string] {
  return [new RegExp(pattern, "gu"), replacement];
}

/**
 * NLTK's substitutions in NLTK's order (NLTK 3.10.4, NLTKWordTokenizer), for lower-case text. Python's case-insensitive
 * patterns also match the dotless i and the long s, so those are spelled out where they can occur.
 */
const rules: readonly (readonly [RegExp, string])[] = [
  // Opening quotes.
  rule("[«“‘„]|`+", " $& "),
  rule('^"', "``"),
  rule("``", " $& "),
  rule(String.raw`([ (\[\{<])(?:"|'')`, "$1 `` "),
  rule(`(?<![${REGEX_WORD}])'(?!(?:re|ve|ll|m|t|[sſ]|d|n)(?![${REGEX_WORD}]))(?=[${REGEX_WORD}])`, "' "),
  // Punctuation. The lookahead with its back-reference does not backtrack, so that long runs of spaces cost linear
  // time.
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
  // From here on the ends of the text count as spaces.
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

/**
 * Almost all captions: ASCII words, digits and hyphens between single spaces, with commas, and at most one full stop,
 * at the end.
 */
const plain = /^(?:[a-z0-9]+(?:-[a-z0-9]+)*,? |, )*(?:[a-z0-9]+(?:-[a-z0-9]+)* ?)?\.?$/;
const plainToken = /[a-z0-9-]+|[,.]/g;
const contraction = /\b(?:cannot|gimme|gonna|gotta|lemme|wanna)\b/;

/** A shortcut with the result of all the rules for plain text; undefined for other text. */
function tokenizePlain(text: string): string[] | undefined {
  return plain.test(text) && !contraction.test(text) ? text.match(plainToken) ?? [] : undefined;
}

function tokenizeSentence(sentence: string): string[] {
  let text = sentence;
  for (const [pattern, replacement] of rules) text = text.replace(pattern, replacement);
  return text.split(spaces).filter((token) => token !== "");
}

/**
 * Splits a text into lower-case tokens: words, clitics, numbers and punctuation marks. Equal to NLTK 3.10.4's
 * `word_tokenize(text.lower())` with its English sentence model.
 */
export function nltkTokens(text: string): string[] {
  const lower = text.toLowerCase();
  return tokenizePlain(lower) ??
    splitSentences(lower).flatMap((sentence) => tokenizePlain(sentence) ?? tokenizeSentence(sentence));
}
