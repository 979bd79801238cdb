import { distance } from "fastest-levenshtein";

/** Other programs' names of settings, in lower case and without separators. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  lr: ["learningRate"],
  baselr: ["learningRate"],
  maxlr: ["learningRate"],
  eta: ["learningRate"],
  encoderlr: ["encoderLearningRate"],
  backbonelr: ["encoderLearningRate"],
  bs: ["batchSize"],
  batch: ["batchSize"],
  wd: ["weightDecay"],
  l2: ["weightDecay"],
  dropout: ["outputDropout", "embeddingDropout"],
  clip: ["maxGradientNorm"],
  gradclip: ["maxGradientNorm"],
  clipgradnorm: ["maxGradientNorm"],
  maxgradnorm: ["maxGradientNorm"],
  accumulate: ["gradientAccumulationSteps"],
  gradaccum: ["gradientAccumulationSteps"],
  accumulategradbatches: ["gradientAccumulationSteps"],
  hidden: ["hiddenSize"],
  hiddendim: ["hiddenSize"],
  hiddenunits: ["hiddenSize"],
  embeddim: ["embedSize"],
  embeddingsize: ["embedSize"],
  embeddingdim: ["embedSize"],
  layers: ["languageLayers", "fusionLayers"],
  numlayers: ["languageLayers", "fusionLayers"],
  imgsize: ["imageSize"],
  resolution: ["imageSize"],
  crop: ["imageSize"],
  numepochs: ["epochs"],
  maxepochs: ["epochs"],
  numtrainepochs: ["epochs"],
  earlystopping: ["patience"],
  backbone: ["encoder"],
  cnn: ["encoder"],
  scheduler: ["schedule"],
  lrscheduler: ["schedule"],
  warmup: ["warmupSteps"],
  beam: ["beamSize"],
  numbeams: ["beamSize"],
  mincount: ["minCount"],
  minfreq: ["minCount"],
  wordthreshold: ["minCount"],
  freeze: ["frozenEpochs"],
  finetuneafter: ["frozenEpochs"],
  finetunefrom: ["trainableFrom"],
  smoothing: ["labelSmoothing"],
  augment: ["augmentation"],
  optim: ["optimizer"],
};

/** Names within this fraction of their length are taken for slips of the keys. */
const LIKE = 0.4;

/** The known names that are most like a name that is not known: as other programs call it, as a part of one, or misspelt. */
export function similarNames(name: string, known: readonly string[]): string[] {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const given = plain(name);
  const meanings = new Map([...Object.entries(SYNONYMS), ...known.map((own) => [plain(own), [own]] as const)]);
  const distances = Array.from(meanings.keys(), (word) => ({ word, far: distance(given, word) }));
  const nearest = Math.min(...distances.map(({ far }) => far));
  const like = distances.filter(({ word, far }) =>
    far === nearest && far <= LIKE * Math.max(given.length, word.length)
  );
  if (like.length > 0) return [...new Set(like.flatMap(({ word }) => meanings.get(word) ?? []))];
  return given.length < 3 ? [] : known.filter((own) => plain(own).includes(given)).slice(0, 4);
}
