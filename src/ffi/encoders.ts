/**
 * The image encoders: their architectures, sizes and stages.
 *
 * @module
 */

/** An encoder's network. */
export interface Encoder {
  /** The family of networks, by the library's number for it. */
  readonly architecture: 0 | 1 | 2;
  /** ResNet: channels of the first layer. EfficientNet-Lite: hundredths of the width coefficient. */
  readonly width: number;
  /** Blocks of each stage. */
  readonly blocks: readonly number[];
  /** The stages from which training may start, in the order of the layers. */
  readonly stages: readonly string[];
}

const RESNET_STAGES = ["conv1", "layer1", "layer2", "layer3", "layer4"] as const;
const LITE_STAGES = ["stem", "stage1", "stage2", "stage3", "stage4", "stage5", "stage6", "stage7", "head"] as const;

const basic = { architecture: 0, width: 64, stages: RESNET_STAGES } as const;
const bottleneck = { ...basic, architecture: 1 } as const;
const lite = { architecture: 2, stages: LITE_STAGES } as const;

/** The encoders by name. */
export const ENCODERS = {
  resnet18: { ...basic, blocks: [2, 2, 2, 2] },
  resnet34: { ...basic, blocks: [3, 4, 6, 3] },
  resnet50: { ...bottleneck, blocks: [3, 4, 6, 3] },
  resnet101: { ...bottleneck, blocks: [3, 4, 23, 3] },
  resnet152: { ...bottleneck, blocks: [3, 8, 36, 3] },
  "efficientnet-lite0": { ...lite, width: 100, blocks: [1, 2, 2, 3, 3, 4, 1] },
  "efficientnet-lite2": { ...lite, width: 110, blocks: [1, 3, 3, 4, 4, 5, 1] },
} as const satisfies Record<string, Encoder>;

/** An encoder's name. */
export type EncoderName = keyof typeof ENCODERS;

/** A stage of an encoder from which training may start. */
export type EncoderStage = typeof ENCODERS[EncoderName]["stages"][number];
