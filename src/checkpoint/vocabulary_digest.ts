import { sha256 } from "../files/sha256.ts";

/** The name of a vocabulary's digest in exported weights: metadata of a safetensors file, a record of a `.pth`. */
export const VOCABULARY_DIGEST = "vocabulary_sha256";

/** The digest that tells vocabularies apart: of the words in the order of their ids. */
export async function vocabularyDigest(words: readonly string[]): Promise<string> {
  return await sha256(JSON.stringify(words));
}
