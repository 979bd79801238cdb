// Punkt sentence splitting (Kiss and Strunk 2006) with NLTK's English model, for lower-case text. Half of the algorithm
// looks at capital letters; only the rest is implemented, with the part of the model that lower-case text can reach
// (`punkt_english.json`).

import model from "./punkt_english.json" with { type: "json" };
import { REGEX_SPACE, REGEX_WORD, trimEnd } from "./python_characters.ts";

const abbreviations: ReadonlySet<string> = new Set(model.abbreviations);
const lowerCaseStarters: ReadonlySet<string> = new Set(model.lowerCaseStarters);

/** Characters that always end a word. */
const nonWord = String.raw`[)";}\]*:@'(\{\[‘’“”«»?!]`;
const manyPunctuation = String.raw`(?:-{2,}|\.{2,}|(?:\.[${REGEX_SPACE}]){2,}\.)`;
const wordEnd =
  `(?:[${REGEX_SPACE}]|$|${nonWord}|${manyPunctuation}|,(?=$|[${REGEX_SPACE}]|${nonWord}|${manyPunctuation}))`;
const wordPattern = new RegExp(
  String.raw`${manyPunctuation}|(?=[^("\x60{\[:;&#*@)}\]\-,])[^${REGEX_SPACE}]+?(?=${wordEnd})|[^${REGEX_SPACE}]`,
  "gu",
);
const boundaryPattern = new RegExp(
  String.raw`[.?!](?=(?<after>${nonWord}|(?<gap>[${REGEX_SPACE}]+)(?<next>[^${REGEX_SPACE}]+)))`,
  "gu",
);
/** Closing punctuation after a boundary belongs to the previous sentence. */
const closingPattern = new RegExp(String.raw`^["')\]}‘’“”«»]+?(?:[${REGEX_SPACE}]+|(?=--)|$)`, "u");
const numberPattern = /^-?[.,]?\p{Nd}[\p{Nd},.\-]*\.?$/u;
const initialPattern = new RegExp(String.raw`^(?!\p{Nd})[${REGEX_WORD}]\.$`, "u");

interface PunktToken {
  readonly text: string;
  readonly type: string;
  sentenceBreak: boolean;
}

/** A possible sentence end, after `end`. */
interface Candidate {
  readonly end: number;
  /** Where the next sentence would start. */
  readonly next: number;
  /** The previous word, the mark, and what follows. */
  readonly context: string;
}

/** Decides about a word by itself: whether it ends a sentence unless its neighbor overrides that. */
function readToken(text: string): PunktToken {
  let sentenceBreak = text === "." || text === "?" || text === "!";
  if (!sentenceBreak && text.endsWith(".") && !text.endsWith("..")) {
    const word = text.slice(0, -1);
    sentenceBreak = !abbreviations.has(word) && !abbreviations.has(word.slice(word.lastIndexOf("-") + 1));
  }
  return { text, type: numberPattern.test(text) ? "##number##" : text, sentenceBreak };
}

function withoutPeriod(type: string): string {
  return type.length > 1 && type.endsWith(".") ? type.slice(0, -1) : type;
}

/**
 * Decides about a word and its neighbor: an initial or an ordinal number does not end a sentence before a lower-case
 * letter.
 */
function endsSentence(token: PunktToken, next: PunktToken): boolean {
  if (!token.sentenceBreak || !token.text.endsWith(".")) return token.sentenceBreak;
  const type = withoutPeriod(token.type);
  const nextType = next.sentenceBreak ? withoutPeriod(next.type) : next.type;
  const initial = initialPattern.test(token.text);
  if (!initial && type !== "##number##") return true;
  if (/^[;:,.!?]$/.test(next.text)) return false;
  if (/^\p{Lowercase}/u.test(next.text)) return lowerCaseStarters.has(nextType);
  // A capital that survived lower-casing (it has no lower case) is a name after an initial.
  return !(initial && /^\p{Uppercase}/u.test(next.text));
}

/** Tells whether a sentence ends inside the context, ignoring its last word. */
function containsSentenceBreak(context: string): boolean {
  const lines = context.split("\n").filter((line) => trimEnd(line) !== "");
  const tokens = lines.flatMap((line) => line.match(wordPattern) ?? []).map(readToken);
  return tokens.some((token, index) => {
    const next = tokens[index + 1];
    return next !== undefined && endsSentence(token, next);
  });
}

function lastAsciiSpace(text: string): number {
  for (let index = text.length - 1; index >= 0; index--) {
    if (/[\t-\r ]/.test(text.charAt(index))) return index;
  }
  return -1;
}

/** Finds possible sentence ends; of several marks on one word, the last. */
function findCandidates(text: string): Candidate[] {
  const candidates: Candidate[] = [];
  let previous: Candidate | undefined;
  let previousStart = 0;
  let previousEnd = 0;
  for (const match of text.matchAll(boundaryPattern)) {
    const space = lastAsciiSpace(text.slice(previousEnd, match.index));
    // A space at the very start does not count, as in NLTK: it decides whether two marks are one candidate.
    const start = space > 0 ? previousEnd + space + 1 : previousStart;
    if (previous !== undefined && previousEnd <= start) candidates.push(previous);
    previousStart = start;
    previousEnd = match.index;
    const end = match.index + match[0].length;
    previous = {
      end,
      next: end + (match.groups?.gap ?? "").length,
      context: text.slice(start, match.index) + match[0] + (match.groups?.after ?? ""),
    };
  }
  if (previous !== undefined) candidates.push(previous);
  return candidates;
}

/**
 * Splits lower-case text into sentences like `nltk.tokenize.sent_tokenize(text)` (NLTK 3.10.4, English). Text with
 * capitals is split too, but NLTK may split it elsewhere.
 */
export function splitSentences(text: string): string[] {
  const bounds: [start: number, end: number][] = [];
  let start = 0;
  for (const candidate of findCandidates(text)) {
    if (!containsSentenceBreak(candidate.context)) continue;
    bounds.push([start, candidate.end]);
    start = candidate.next;
  }
  bounds.push([start, trimEnd(text).length]);

  const sentences: string[] = [];
  let moved = 0;
  for (const [index, [from, to]] of bounds.entries()) {
    const next = bounds[index + 1];
    const closing = next && closingPattern.exec(text.slice(...next));
    const begin = from + moved;
    if (next && closing) {
      sentences.push(text.slice(begin, next[0] + trimEnd(closing[0]).length));
      moved = closing[0].length;
    } else {
      if (begin < to) sentences.push(text.slice(begin, to));
      moved = 0;
    }
  }
  return sentences;
}
