import type { DecodingSettings } from "../checkpoint/checkpoint.ts";
import { quoted } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { tokenizerOf } from "../text/tokenizer.ts";
import { type CaptionVocabulary, findInEitherForm } from "../text/vocabulary.ts";
import { Constraints } from "./constraints.ts";
import type { DecodingOptions } from "./decoding_options.ts";

/**
 * English words that no sentence ends with, though captioners trained for a metric often do. Words that do end references
 * ("a dog looks on", "people walk by") are not included.
 *
 * @example Forbid another ending
 * ```ts
 * import assert from "node:assert/strict";
 * import { BAD_ENDINGS, Captioner, decodeImage } from "@lrcn/lrcn";
 *
 * using captioner = await Captioner.load("docs/example/model.safetensors");
 * const image = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-005.png"));
 * const [caption] = await captioner.caption([image], { badEndings: [...BAD_ENDINGS, "background"] });
 * assert.equal(caption?.text, "there are two red squares on white");
 * ```
 */
export const BAD_ENDINGS: readonly string[] = [
  ..."a an the his its their and or while as is are am was were of in at to for with from into onto upon".split(" "),
  ",",
];

const CLOSERS = [".", "!", "?"];

/**
 * Translates the constraints of the options from words to token ids.
 *
 * @throws {InputError} If no caption can satisfy them, a word is unknown, or the vocabulary has no end.
 */
export function captionConstraints(
  vocabulary: CaptionVocabulary,
  decoding: DecodingSettings,
  options: DecodingOptions,
): Constraints {
  const { words, pad, unknown, start, end } = vocabulary;
  if (start === undefined || end === undefined) {
    throw new InputError("Cannot caption: the checkpoint's vocabulary has no <start> and <end>");
  }
  const { tokenizer = "nltk" } = decoding;
  const { forced = [], forbidden = [], prefix = "", noRepeatNgramSize, minLength, maxLength = decoding.maxLength } =
    options;
  const specials = [pad, unknown, start].filter((id) => id !== undefined);
  const idOf = (word: string) => {
    const known = findInEitherForm(word, (form) => words.includes(form) ? form : undefined);
    const id = words.indexOf(known ?? word);
    return specials.includes(id) || id === end ? -1 : id;
  };
  const known = (list: readonly string[]) => list.map(idOf).filter((id) => id >= 0);

  function oneWord(text: string, what: string): string {
    const [token, ...more] = tokenizerOf(tokenizer)(text);
    if (token !== undefined && more.length === 0) return token;
    throw new InputError(`Cannot ${what} ${quoted(text)}: it is not one word; give one word at a time`);
  }

  function mustKnow(token: string, what: string): number {
    const id = idOf(token);
    if (id >= 0) return id;
    throw new InputError(`Cannot ${what}: the model does not know the word ${quoted(token)}; choose another`);
  }

  return new Constraints({
    end,
    vocabularySize: words.length,
    maxLength,
    minLength,
    noRepeatNgramSize,
    never: [...specials, ...known(forbidden.map((text) => oneWord(text, "forbid")))],
    forced: forced.map((text) => mustKnow(oneWord(text, "force"), `force ${quoted(text)}`)),
    prefix: (prefix === "" ? [] : tokenizerOf(tokenizer)(prefix)).map((token) =>
      mustKnow(token, `begin with ${quoted(prefix)}`)
    ),
    badEndings: known(options.badEndings ?? (tokenizer === "nltk" ? usualBadEndings(words, specials.length + 1) : [])),
    closers: known(CLOSERS),
  });
}

/** The bad endings in a vocabulary; none if it has hardly any other words. */
function usualBadEndings(words: readonly string[], specials: number): readonly string[] {
  const bad = new Set(BAD_ENDINGS).intersection(new Set(words));
  return words.length - specials > bad.size + CLOSERS.length ? [...bad] : [];
}
