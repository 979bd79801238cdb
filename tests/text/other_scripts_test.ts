import assert from "node:assert/strict";
import { join } from "node:path";
import { detokenize } from "../../src/text/detokenize.ts";
import { openCheckpoint, saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { readVocabularyFile, writeVocabularyFile } from "../../src/checkpoint/vocabulary_file.ts";
import { tokenizerOf, TOKENIZERS } from "../../src/text/tokenizer.ts";
import { Vocabulary } from "../../src/text/vocabulary.ts";
import { counting } from "../support/checkpoint_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";
import { makeFolder } from "../support/temporary_folder.ts";

/** In lower case and the form NFC, as captions are written. */
const CAPTIONS = [
  "赤い傘を持った女の子が犬と歩いている。",
  "一个女孩在公园里放风筝。",
  "เด็กเล่นว่าวในสวน",
  "한 소녀가 공원에서 연을 날린다.",
  "فتاة تطير طائرة ورقية، وكلب يركض.",
  "נערה מעיפה עפיפון ליד כלב.",
  "लड़की पतंग उड़ाती है।",
  "девочка с собакой идёт по пляжу.",
  "ένα κορίτσι παίζει με τον σκύλο της.",
  "une élève à l'école mange une crêpe, près d'un bœuf.",
  "ein mädchen läuft über die straße, größer als öl.",
  "bir kız ılık suda yüzüyor, köpeği iğde ağacında.",
  "một cô gái thả diều với chó.",
  "a girl 👩🏽‍🦰 with a dog 🐕 ❤️",
];

Deno.test({
  name: "captions in other scripts keep their words through tokens, vocabulary, checkpoint and back",
  ignore: !canRead || !canWrite,
  async fn() {
    await using folder = await makeFolder({});
    for (const tokenizer of TOKENIZERS) {
      const tokens = CAPTIONS.map(tokenizerOf(tokenizer));
      for (const vocabulary of [Vocabulary.notebook(tokens), Vocabulary.fromTokens(tokens, { minCount: 1 })]) {
        const ids = tokens.map((words) => vocabulary.encode(words));
        const path = join(folder.path, "best.safetensors");
        await save(path, vocabulary);
        using checkpoint = await openCheckpoint(path);
        const { vocabulary: words, preprocessing, decoding } = checkpoint.metadata;
        await writeVocabularyFile(join(folder.path, "vocabulary.json"), { vocabulary: words, preprocessing, decoding });
        const exported = (await readVocabularyFile(join(folder.path, "vocabulary.json"))).vocabulary;
        for (const back of [new Vocabulary(words), new Vocabulary(exported)]) {
          for (const [index, caption] of CAPTIONS.entries()) {
            const read = (ids[index] ?? []).map((id) => back.word(id));
            assert.equal(detokenize(read, { tokenizer }), caption, tokenizer);
          }
        }
      }
    }
  },
});

Deno.test("both ways to write an accent are one word of the unicode tokenizer's vocabulary", () => {
  const tokens = CAPTIONS.flatMap((caption) => [caption, caption.normalize("NFD")]).map(tokenizerOf("unicode"));
  const { size } = Vocabulary.fromTokens(tokens, { minCount: 1 });
  assert.equal(size, Vocabulary.fromTokens(CAPTIONS.map(tokenizerOf("unicode")), { minCount: 1 }).size);
});

async function save(path: string, vocabulary: Vocabulary): Promise<void> {
  await saveCheckpoint(path, {
    metadata: {
      recipe: "lrcn",
      model: {
        vocabularySize: vocabulary.size,
        embedSize: 1,
        hiddenSize: 1,
        languageLayers: 0,
        fusionLayers: 1,
        inject: "every",
        encoderWidth: 8,
        encoderBlocks: [1, 1, 1, 1],
      },
      preprocessing: { imageSize: 32, shortSide: 37, applyExif: true },
      vocabulary: vocabulary.words,
      decoding: { maxLength: 20, beamSize: 1 },
      datasetFingerprint: "",
      epoch: 1,
      metrics: {},
    },
    tensors: [counting("linear.bias", "F32", [vocabulary.size])],
  });
}
