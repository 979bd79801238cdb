import { printable } from "../printable.ts";
import type { CheckpointMetadata } from "./checkpoint.ts";
import { ignoresImages } from "./ignores_images.ts";

/** Which model wrote captions, and how good it is. */
export interface ModelFacts {
  /** Its run or file; of an ensemble, of all its models. */
  readonly name: string;
  /** The epoch after which it was saved; null if the file does not say, and for an ensemble. */
  readonly epoch: number | null;
  /** CIDEr of its captions on its validation set; null likewise. */
  readonly cider: number | null;
}

/** A model's name, and the part of its metadata that describes it. Weights of other programs have no such metadata. */
export interface NamedModel {
  readonly name: string;
  /** Whether it comes with lrcn. */
  readonly ships?: boolean;
  readonly metadata: Partial<Pick<CheckpointMetadata, "epoch" | "metrics">>;
}

/** The facts about a model, or about an ensemble of several. */
export function modelFacts(models: readonly NamedModel[]): ModelFacts {
  const [only, ...others] = models;
  const metadata = others.length === 0 ? only?.metadata : undefined;
  return {
    name: models.map(({ name }) => name).join(" + "),
    // A run keeps the model that it started from as long as no epoch is better.
    epoch: metadata?.epoch || null,
    cider: metadata?.metrics?.["cider"] ?? null,
  };
}

/** A line that says which models write the captions. */
export function describeModels(models: readonly NamedModel[]): string {
  return `Model: ${models.map(describeModel).join(" and ")}`;
}

function describeModel(model: NamedModel): string {
  const { epoch, cider } = modelFacts([model]);
  const facts = [
    ...(epoch === null ? [] : [`epoch ${epoch}`]),
    ...(cider === null ? [] : [`CIDEr ${cider.toFixed(3)} on validation`]),
  ];
  const known = facts.length === 0 ? "" : ` (${facts.join(", ")})`;
  return `${printable(model.name)}${model.ships ? ", which comes with lrcn" : ""}${known}`;
}

/** A warning of a model whose own metrics say that it ignores its images; undefined if they do not say so. */
export function modelWarning({ name, metadata: { metrics = {} } }: NamedModel): string | undefined {
  const { mismatchedImageLossGap, distinctFraction } = metrics;
  if (mismatchedImageLossGap === undefined || distinctFraction === undefined) return undefined;
  const found = ignoresImages({ mismatchedImageLossGap, distinctFraction });
  if (found === undefined) return undefined;
  return `Warning: the model '${
    printable(name)
  }' ignores its images: on its validation set ${found}; train it longer, ` +
    "or use another by --checkpoint";
}
