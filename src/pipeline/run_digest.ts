import type { Splits } from "../data/splits.ts";
import type { EncodedExample } from "./training_data.ts";

/** A digest of the training and validation examples in their order, and of the fingerprint of their pixels. */
export async function digestExamples(
  { train, validation }: Pick<Splits<EncodedExample>, "train" | "validation">,
  pixels: string,
): Promise<string> {
  const names = [train, validation].map((examples) => examples.map(({ example }) => example.name));
  const bytes = new TextEncoder().encode(JSON.stringify([...names, pixels]));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
