// The tokenization rules of Stanford CoreNLP 3.4.1 in its default setting. The longest match wins, including the text
// that must follow; among equal matches the first rule wins, so the order matters. A regular expression takes its first
// alternative that matches, so within a rule the one that can be longer comes first.

import * as words from "./words.ts";

/** A rule's result for its match. */
export interface Reading {
  /** The token; undefined if the match is skipped. */
  readonly token: string | undefined;
  /** The length consumed; the rest is read again. */
  readonly length: number;
}

export interface Rule {
  /** The match as a regular expression, in which a letter outside a class matches both cases. */
  readonly pattern: string;
  /** The same for the text that must follow it. */
  readonly before?: string;
  /** Converts the match to a token. @default The match itself. */
  readonly read?: (match: string) => Reading;
}

const raw = String.raw;

// Characters. Combining marks and some others count as letters in the scripts known to CoreNLP.
const SPACE = raw`[ \t\u00a0\u2000-\u200a\u3000]`;
const NEWLINE = raw`(\r?\n|\r|[\u2028\u2029\u000b\u000c\u0085])`;
const BLANK = `(${SPACE}|${NEWLINE})`;
const MARKS = raw`\u00ad\u02c2-\u02c5\u02d2-\u02df\u02e5-\u036f\u0375\u0378\u0379\u0384\u0385\u03f6\u0483-\u0487` +
  raw`\u055a-\u055f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0615-\u061a\u064b-\u065e\u0670` +
  raw`\u06d6-\u06ed\u06fd\u06fe\u070f\u0711\u0730-\u074c\u07a6-\u07b0\u07eb-\u07f3\u0900-\u0903\u093c` +
  raw`\u093e-\u094e\u0951-\u0955\u0962\u0963\u0981-\u0983\u09bc\u09be-\u09c4\u09c7\u09c8\u09cb-\u09cd\u09d7` +
  raw`\u09e2\u09e3\u0a01-\u0a03\u0a3c\u0a3e-\u0a4f\u0a81-\u0a83\u0abc-\u0acf\u0b82\u0bbe-\u0bc2\u0bc6-\u0bc8` +
  raw`\u0bca-\u0bcd\u0c01-\u0c03\u0c3e-\u0c56\u0d3e-\u0d44\u0d46-\u0d48\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1` +
  raw`\u0eb4-\u0ebc\u0ec8-\u0ecd\u1885\u1886`;
const LETTER = raw`([\p{L}${MARKS}]|&[aeiouAEIOU](acute|grave|uml);)`;
const DIGIT = raw`\p{Nd}`;
const NUMBER = raw`${DIGIT}*([.:,\u00ad\u066b\u066c]${DIGIT}+)+|${DIGIT}+`;
const WORD = raw`${LETTER}(${LETTER}|${DIGIT})*([.!?]${LETTER}(${LETTER}|${DIGIT})*)*`;
const APOSTROPHE = raw`(['\u0092\u2019]|&apos;)`;
const QUOTE_IN_WORD = raw`(${APOSTROPHE}|[${"`"}\u0091\u2018\u201b])`;
const HYPHEN = raw`[\-_\u058a\u2010\u2011]`;
const PAUSE = raw`[,;:\u3001]`;
const DASHES = raw`(&(md|mdash|ndash);|[\u0096\u0097\u2013\u2014\u2015])`;
const AMPERSAND = "&amp;";
const TAG = raw`<([!?][A-Za-z\-][^>\r\n]*|[A-Za-z][A-Za-z0-9_:.\-]*` +
  raw`( +([A-Za-z][A-Za-z0-9_:.\-]*( *= *('[^']*'|"[^"]*"))?))* *(/ *)?|/[A-Za-z][A-Za-z0-9_:.\-]* *)>`;

// Clitics, and words that keep an apostrophe.
const CLITIC = `${APOSTROPHE}([msdMSD]|re|ve|ll)`;
const NOT = `n${QUOTE_IN_WORD}t`;
const BEFORE_NOT = raw`[A-Za-z\u00ad]*[A-MO-Za-mo-z]\u00ad*`;
const APOSTROPHE_WORD = raw`[A-HJ-XZn]${QUOTE_IN_WORD}\p{L}{2}\p{L}*|` +
  raw`\p{L}+[aeiouyAEIOUY]${QUOTE_IN_WORD}[aeiouA-Z]\p{L}*|[lLdDjJ]${APOSTROPHE}|(dunkin|somethin|ol)${APOSTROPHE}|` +
  raw`${APOSTROPHE}(n${APOSTROPHE}?|em|[2-9]0s|till?|cause)|cont'd\.?|'twas|nor'easter|c'mon|e'er|s'mores|ev'ry|li'l|` +
  raw`nat'l|o${QUOTE_IN_WORD}o`;

// Compounds.
const PART = raw`([dDoOlL]${QUOTE_IN_WORD}[\p{L}\p{Nd}])?[\p{L}\p{Nd}]+`;
const COMPOUND = `${PART}(${HYPHEN}${PART})*`;
const WITH_AMPERSANDS = `[A-Z]+((${AMPERSAND}|[+&])[A-Z]+)+`;
const SLASH_PART = "[A-Za-z0-9]+(-[A-Za-z]+){0,2}";
const WITH_SLASHES = raw`${SLASH_PART}(\\?/${SLASH_PART}){1,2}`;
const WITH_HYPHENS = raw`[A-Za-z0-9][A-Za-z0-9.,\u00ad]*(-(${words.INITIALS}\.|[A-Za-z0-9\u00ad]+))+`;
const FILE = raw`(${LETTER}|${DIGIT})+(\.(${LETTER}|${DIGIT})+)*\.${words.FILE_ENDINGS}`;

// Addresses.
const URL_END = raw`[^ \t\n\f\r"<>|.!?(){},\-]`;
const URL = raw`https?://[^ \t\n\f\r"<>|(){}]+${URL_END}`;
// The second kind excludes capitals, digits and most marks, as if they were a range from "," to "_".
const URL_PATH = raw`/[^ \t\n\f\r"<>|()]+${URL_END}`;
const WWW = raw`www(\.[^ \t\n\f\r"<>|.!?(){},]+)`;
const HOST = raw`([^ \t\n\f\r"${"`"}'<>|.!?(){},-_$]+\.)`;
// With a path, fewer dots before it: a path goes at least as far as any host.
const BARE_URL = raw`${WWW}+?\.[a-zA-Z]{2,4}${URL_PATH}|${HOST}+?(com|net|org|edu)${URL_PATH}|` +
  raw`${WWW}+\.[a-zA-Z]{2,4}|${HOST}+(com|net|org|edu)`;
const EMAIL = raw`(&lt;|<)?[a-zA-Z0-9][^ \t\n\f\r"<>|()\u00a0{}]*@([^ \t\n\f\r"<>|(){}.\u00a0]+\.)*` +
  raw`[^ \t\n\f\r"<>|(){}.\u00a0]+(&gt;|>)?`;
const TWITTER = `(@[a-zA-Z_][a-zA-Z_0-9]*|#${LETTER}+)`;

// Compound numbers.
const DATE = `${DIGIT}{1,2}[\\-/]${DIGIT}{1,2}[\\-/]${DIGIT}{2,4}`;
const FRACTION = raw`(${DIGIT}{1,4}[\- \u00a0])?${DIGIT}{1,4}(\\?/|\u2044)${DIGIT}{1,4}`;
const RAISED = raw`[\u207a\u207b\u208a\u208b]?([\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+|[\u2080-\u2089]+)`;
const PHONE = raw`((\([0-9]{2,3}\)[ \u00a0]?|(\+\+?)?([0-9]{2,4}[\- \u00a0])?[0-9]{2,4}[\- \u00a0])` +
  raw`[0-9]{3,4}[\- \u00a0]?[0-9]{3,5}|((\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5})`;

// Marks.
const QUOTES = raw`''|` +
  raw`[${"`"}\u2018\u2019\u201a\u201b\u201c\u201d\u0091\u0092\u0093\u0094\u201e\u201f\u2039\u203a\u00ab\u00bb]{1,2}|` +
  APOSTROPHE;
const DOUBLE_QUOTE = `("|&quot;)`;
const SMILEY = raw`[<>]?[:;=][\-o*']?[()DPdpO\\{@|\[\]]`;
const EASTERN_SMILEY =
  raw`([\-\^x=~<>']_[\-\^x=~<>']|\([\-\^x=~<>'][_.]?[\-\^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'${"`"}]\))`;
const FULL_STOPS = raw`[.¡¿\u037e\u0589\u061f\u06d4\u0700-\u0702\u07fa\u3002]`;
const SYMBOLS = raw`[+%&~\^|\\\u00a6-\u00a9\u00ac\u00ae-\u00ba\u00d7\u00f7\u0387\u05be\u05c0\u05c3\u05c6\u05f3\u05f4` +
  raw`\u0600-\u0603\u0606-\u060a\u060c\u0614\u061b\u061e\u066a\u066d\u0703-\u070d\u07f6-\u07f8\u0964\u0965\u0e4f` +
  raw`\u1fbd\u2016\u2017\u2020-\u2023\u2030-\u2038\u203b\u203e-\u2042\u2044\u207a-\u207f\u208a-\u208e\u2100-\u214f` +
  raw`\u2190-\u2bff\u3012\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]`;

/** Removes soft hyphens, which only mark possible line breaks. */
function withoutSoftHyphens(match: string): Reading {
  return { token: match.replaceAll("\u00ad", "") || "-", length: match.length };
}

function plainAmpersand(match: string): Reading {
  return { token: match.replaceAll(/&amp;/gi, "&"), length: match.length };
}

/** A token must not contain a space. */
function unbroken(match: string): Reading {
  return { token: match.replaceAll(" ", "\u00a0"), length: match.length };
}

function bracketNames(match: string): Reading {
  const token = match.replaceAll("(", "-LRB-").replaceAll(")", "-RRB-").replaceAll(" ", "\u00a0");
  return { token, length: match.length };
}

const LATEX_QUOTES: readonly [RegExp, string][] = [
  [/&apos;/g, "'"],
  [/[\u0091\u2018\u201b\u2039]/g, "`"],
  [/[\u0092\u2019\u203a]/g, "'"],
  [/[\u0093\u201c\u00ab]/g, "``"],
  [/[\u0094\u201d\u00bb]/g, "''"],
];

function latexQuotes(match: string): Reading {
  let token = match;
  for (const [mark, latex] of LATEX_QUOTES) token = token.replace(mark, latex);
  return { token, length: match.length };
}

const CURRENCIES: Readonly<Record<string, string>> = {
  "\u00a2": "cents",
  "\u00a3": "#",
  "\u0080": "$",
  "\u00a4": "$",
  "\u20a0": "$",
  "\u20ac": "$",
};
const FRACTIONS: Readonly<Record<string, string>> = {
  "\u00bc": "1/4",
  "\u00bd": "1/2",
  "\u00be": "3/4",
  "\u2153": "1/3",
  "\u2154": "2/3",
};

function named(names: Readonly<Record<string, string>>): (match: string) => Reading {
  return (match) => ({ token: names[match] ?? match, length: match.length });
}

function as(token: string): (match: string) => Reading {
  return (match) => ({ token, length: match.length });
}

/** Two words written as one: the last `count` characters are the second. */
function lessLast(count: number): (match: string) => Reading {
  return (match) => ({ token: match.slice(0, -count), length: match.length - count });
}

/** The full stop of an abbreviation at a sentence's end also ends the sentence, so it is read again. */
function stopTwice(match: string): Reading {
  return { token: match, length: match.length - 1 };
}

function passOver(match: string): Reading {
  return { token: undefined, length: match.length };
}

/** The rules in order. Text that no rule matches is skipped one character at a time. */
export const RULES: readonly Rule[] = [
  { pattern: raw`c\+\+|[cCfF]#` },
  { pattern: "cannot|'twas", read: lessLast(3) },
  { pattern: "'tis|gonna|gotta|lemme|gimme|wanna", read: lessLast(2) },
  { pattern: TAG, read: unbroken },
  { pattern: DASHES, read: as("--") },
  { pattern: AMPERSAND, read: plainAmpersand },
  { pattern: "&(ht|tl|ur|lr|qc|ql|qr|odq|cdq|#[0-9]+);" },
  { pattern: WORD, before: CLITIC, read: withoutSoftHyphens },
  { pattern: BEFORE_NOT, before: NOT, read: withoutSoftHyphens },
  { pattern: WORD, read: withoutSoftHyphens },
  { pattern: APOSTROPHE_WORD },
  { pattern: `y${APOSTROPHE}`, before: raw`\p{L}` },
  { pattern: URL },
  { pattern: BARE_URL },
  { pattern: EMAIL },
  { pattern: TWITTER },
  { pattern: `${CLITIC}|${NOT}`, before: "[^A-Za-z]", read: latexQuotes },
  { pattern: DATE },
  { pattern: raw`[\-+]?(${NUMBER})`, read: withoutSoftHyphens },
  { pattern: RAISED },
  { pattern: FRACTION, read: unbroken },
  { pattern: raw`[\u00bc-\u00be\u2153-\u215e]`, read: named(FRACTIONS) },
  {
    pattern: `-(rrb|lrb|rcb|lcb|rsb|lsb)-|c\\.d\\.s|pro-|anti-|s(&|&amp;)p-500|s(&|&amp;)ls|(cap${APOSTROPHE}n)|` +
      `(c${APOSTROPHE}est)`,
    read: plainAmpersand,
  },
  { pattern: WITH_SLASHES },
  { pattern: raw`[A-Z]*\$|#` },
  {
    pattern: raw`[\u00a2-\u00a5\u0080\u20a0\u20ac\u060b\u0e3f\u20a4\uffe0\uffe1\uffe5\uffe6]`,
    read: named(CURRENCIES),
  },
  {
    pattern: `${words.ACRONYM}\\.`,
    before: `${BLANK}+(${words.SENTENCE_BEGINNINGS}|${TAG})${BLANK}`,
    // One letter before a new sentence is a word, not an abbreviation.
    read: (match) => match.length === 2 ? lessLast(1)(match) : stopTwice(match),
  },
  { pattern: `${words.BEFORE_NUMBER}\\.`, before: raw`${BLANK}?\p{Nd}` },
  { pattern: raw`(pt[eyEY]|co)\.`, before: `${SPACE}(ltd|lim)` },
  {
    pattern: `${words.MAY_END_SENTENCE}\\.`,
    before: raw`${BLANK}(${BLANK}|\p{Uppercase}|${TAG})`,
    read: stopTwice,
  },
  { pattern: `${words.MAY_END_SENTENCE}\\.`, before: "[^][^]" },
  { pattern: `${words.MAY_END_SENTENCE}\\.`, read: stopTwice },
  { pattern: `${words.WITHIN_SENTENCE}\\.` },
  { pattern: words.WITHIN_SENTENCE, before: SPACE },
  { pattern: words.ACRONYM, before: BLANK },
  { pattern: `${APOSTROPHE}[0-9][0-9]`, before: BLANK },
  { pattern: FILE, before: `(${BLANK}|[.?!,])` },
  { pattern: `${WORD}\\.`, before: PAUSE, read: withoutSoftHyphens },
  { pattern: PHONE, read: bracketNames },
  { pattern: DOUBLE_QUOTE, before: "[A-Za-z0-9$]", read: as("``") },
  { pattern: DOUBLE_QUOTE, read: as("''") },
  { pattern: raw`\u007f`, read: passOver },
  { pattern: "<|&lt;", read: as("<") },
  { pattern: ">|&gt;", read: as(">") },
  { pattern: SMILEY, before: "[^A-Za-z0-9]", read: bracketNames },
  { pattern: EASTERN_SMILEY, read: bracketNames },
  { pattern: raw`\{`, read: as("-LCB-") },
  { pattern: raw`\}`, read: as("-RCB-") },
  { pattern: raw`\[`, read: as("-LSB-") },
  { pattern: raw`\]`, read: as("-RSB-") },
  { pattern: raw`\(`, read: as("-LRB-") },
  { pattern: raw`\)`, read: as("-RRB-") },
  { pattern: "--(--|-)", read: as("--") },
  { pattern: "-+" },
  { pattern: raw`\.{3,5}|(\.[ \u00a0]){2,4}\.|[\u0085\u2026]`, read: as("...") },
  { pattern: raw`@+|#+|_+|\*+|(\\\*){1,3}|${PAUSE}|[?!]+|${FULL_STOPS}|=|/` },
  { pattern: `(${WITH_HYPHENS}|${COMPOUND})\\.`, before: PAUSE, read: withoutSoftHyphens },
  { pattern: WITH_HYPHENS, read: withoutSoftHyphens },
  { pattern: COMPOUND },
  { pattern: `${WITH_AMPERSANDS}\\.`, before: PAUSE, read: plainAmpersand },
  { pattern: WITH_AMPERSANDS, read: plainAmpersand },
  { pattern: "'", before: raw`[A-Za-z][^ \t\n\r\u00a0]`, read: as("`") },
  { pattern: `${CLITIC}|${NOT}|${QUOTES}`, read: latexQuotes },
  { pattern: "<<|>>" },
  { pattern: SYMBOLS },
  { pattern: raw`\u0000|${SPACE}+|[\u200b\u200e\u200f\ufeff]|${NEWLINE}|&nbsp;`, read: passOver },
];
