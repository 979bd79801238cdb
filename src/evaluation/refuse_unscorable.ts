import { InputError } from "../input_error.ts";
import type { TokenizedCaption } from "./tokenized_caption.ts";

/**
 * Refuses captions whose scores would mean nothing: none at all, or captions or references without any word.
 *
 * @throws {InputError} If they are such.
 */
export function refuseUnscorable(captions: readonly TokenizedCaption[]): void {
  const { length } = captions;
  if (length === 0) throw new InputError("Cannot score captions: there are none; caption at least one image");
  if (captions.every(({ caption }) => caption.length === 0)) {
    throw new InputError(
      `Cannot score captions: none of the ${length} captions has a word; check the model or the file`,
    );
  }
  if (captions.every(({ references }) => references.every((reference) => reference.length === 0))) {
    throw new InputError(
      `Cannot score captions: no reference of the ${length} images has a word; check the references`,
    );
  }
}
