/** A tokenized caption with its references: lower-case words without punctuation. */
export interface TokenizedCaption {
  /** Tokens of the caption. */
  readonly caption: readonly string[];
  /** Tokens of each reference, at least one. */
  readonly references: readonly (readonly string[])[];
}

/**
 * Checks what a program without types may pass.
 *
 * @throws {TypeError} If it is not a list of tokenized captions.
 * @throws {RangeError} If a caption has no reference.
 */
export function checkTokenized(captions: readonly TokenizedCaption[]): void {
  const each = checkList(captions, "tokens");
  for (const [index, { caption, references }] of each.entries()) {
    const wrong = !isTokens(caption) ? "caption" : !references.every(isTokens) ? "references" : undefined;
    if (wrong === undefined) continue;
    throw new TypeError(
      `Cannot score captions: the ${wrong} of captions[${index}] must be lists of tokens; tokenizeCaptions() makes them`,
    );
  }
}

/**
 * Checks the same of captions as text.
 *
 * @throws {TypeError} If it is not a list of captions.
 * @throws {RangeError} If a caption has no reference.
 */
export function checkTexts(captions: readonly { readonly caption: string; readonly references: readonly string[] }[]) {
  const each = checkList(captions, "text");
  for (const [index, { caption, references }] of each.entries()) {
    if (typeof caption === "string" && references.every((reference) => typeof reference === "string")) continue;
    throw new TypeError(`Cannot tokenize captions: caption and references of captions[${index}] must be text`);
  }
}

function checkList(captions: unknown, of: string): { readonly caption: unknown; readonly references: unknown[] }[] {
  if (!Array.isArray(captions)) {
    throw new TypeError(
      `Cannot score captions: a list of {caption, references} in ${of} is needed, one for each image`,
    );
  }
  return captions.map((item: unknown, index) => {
    const isObject = typeof item === "object" && item !== null;
    if (!isObject || !("caption" in item) || !("references" in item) || !Array.isArray(item.references)) {
      throw new TypeError(`Cannot score captions: captions[${index}] must be an object {caption, references}`);
    }
    if (item.references.length === 0) {
      throw new RangeError(`Cannot score captions: captions[${index}] has no reference`);
    }
    return { caption: item.caption, references: item.references };
  });
}

function isTokens(value: unknown): boolean {
  return Array.isArray(value) && (value.length === 0 || typeof value[0] === "string");
}
