import type { Splits } from "../data/splits.ts";
import { sha256 } from "../files/sha256.ts";
import type { EncodedExample } from "./training_data.ts";

/** A digest of the training and validation examples in their order, and of the fingerprint of their pixels. */
export async function digestExamples(
  { train, validation }: Pick<Splits<EncodedExample>, "train" | "validation">,
  pixels: string,
): Promise<string> {
  const names = [train, validation].map((examples) => examples.map(({ example }) => example.name));
  return await sha256(JSON.stringify([...names, pixels]));
}
