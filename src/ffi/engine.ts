import type { Batch, Features, HeatMaps, Images, Loss, StepResult } from "./batch.ts";
import { create, Handle } from "./call.ts";
import { Decoding } from "./decoding.ts";
import { checkOwnGpu, chooseNumerics } from "./device.ts";
import { DEFAULT_ENCODER, ENCODERS, stagesOf } from "./encoders.ts";
import type { Group } from "./group.ts";
import { buildInfo, type Library, loadLibrary } from "./library.ts";
import type { EngineOptions, ImageResize, ModelSettings, TrainStepOptions } from "./settings.ts";
import { encodeStruct } from "./struct.ts";

/** One named tensor of an engine's state. */
export interface TensorInfo {
  /** PyTorch's name; prefixed with `adam.exp_avg.` and the like for the optimizer's state. */
  readonly name: string;
  /** Its role in the model. */
  readonly kind: "parameter" | "buffer" | "gradient" | "optimizer" | "random";
  /** Its element type, as safetensors names it. */
  readonly dtype: "F64" | "F32" | "I64" | "U8";
  /** Its dimensions. */
  readonly shape: readonly number[];
}

/** Memory of libtorch's allocator in bytes, shared by all engines of the process. */
export interface Memory {
  /** Bytes in live tensors. */
  readonly inUse: number;
  /** The highest `inUse` so far. */
  readonly peak: number;
  /** Bytes reserved from the system. */
  readonly held: number;
}

const DEVICES = { cpu: 0, cuda: 1 } as const;
const PRECISIONS = { fp32: 0, bf16: 1, fp64: 2, "fp32-strict": 3 } as const;
const INITIALIZATIONS = { random: 0, "zero-padding": 1, zero: 2 } as const;
const ARCHITECTURES = { "resnet-basic": 0, "resnet-bottleneck": 1, "efficientnet-lite": 2 } as const; // lrcn_encoder
const OPTIMIZERS = { adam: 0, adamw: 1 } as const;

const BATCH_NORM = { frozen: 0, batch: 1, synchronized: 2 } as const; // lrcn_batch_norm

/**
 * A captioner's model on a device, with words as token ids: the base of {@linkcode Captioner} and
 * {@linkcode trainCaptioner}. Its calls run one after the other on one native thread. Calls that fail throw an
 * {@linkcode EngineError}, or an {@linkcode InputError} if memory or the device is missing. Dispose it with `using`.
 *
 * @example Train on a white image and a black one
 * ```ts
 * import assert from "node:assert/strict";
 * import { type Batch, Engine } from "@lrcn/lrcn/engine";
 *
 * using engine = await Engine.open({
 *   vocabularySize: 12, embedSize: 8, hiddenSize: 8, languageLayers: 0, fusionLayers: 1, inject: "every",
 *   encoderWidth: 8, encoderBlocks: [1, 1, 1, 1],
 * }, { device: "cpu", precision: "fp32", seed: 1 });
 * const [pad, start, end] = [0, 2, 3];
 * const pixels = new Uint8Array(2 * 32 * 32 * 3).fill(255, 0, 32 * 32 * 3);
 * const batch: Batch = {
 *   images: { count: 2, height: 32, width: 32, pixels },
 *   imageOfRow: Int32Array.of(0, 1),
 *   inputsLength: 3, inputs: Int32Array.of(start, 4, 5, start, 6, pad),
 *   targetsLength: 3, targets: Int32Array.of(4, 5, end, 6, end, -1),
 * };
 * const options = { optimizer: "adamw", learningRate: 0.01, encoderLearningRate: 0.01 } as const;
 * const { loss, tokens } = await engine.trainStep([batch], options);
 * assert.equal(tokens, 5);
 * for (let step = 0; step < 10; step++) await engine.trainStep([batch], options);
 * assert((await engine.trainStep([batch], options)).loss < loss);
 * ```
 *
 * @example Read a parameter
 * ```ts
 * import assert from "node:assert/strict";
 * import { Engine } from "@lrcn/lrcn/engine";
 *
 * using engine = await Engine.open({
 *   vocabularySize: 12, embedSize: 8, hiddenSize: 8, languageLayers: 0, fusionLayers: 1, inject: "every",
 *   encoderWidth: 8, encoderBlocks: [1, 1, 1, 1],
 * }, { device: "cpu", precision: "fp32", seed: 1 });
 * const bias = (await engine.tensors()).find(({ name }) => name === "linear.bias");
 * assert.deepEqual(bias?.shape, [12]);
 * const values = new Float32Array((await engine.read(bias)).buffer);
 * assert(values.every(Number.isFinite));
 * ```
 */
export class Engine implements Disposable {
  /** The device in use. */
  readonly device: "cpu" | "cuda";
  /** The precision in use. */
  readonly precision: "fp32" | "fp32-strict" | "bf16" | "fp64";
  /** CPU threads in use. */
  readonly threads: number;
  readonly #library: Library;
  readonly #handle: Handle;
  readonly #stages: readonly string[];
  readonly #featureSize: number;
  /** The number of batches of each queued step. */
  #queuedSteps: number[] = [];

  private constructor(
    library: Library,
    handle: Handle,
    { stages, featureSize, device, precision, threads }: Pick<Engine, "device" | "precision" | "threads"> & {
      readonly stages: readonly string[];
      readonly featureSize: number;
    },
  ) {
    this.#library = library;
    this.#handle = handle;
    this.#stages = stages;
    this.#featureSize = featureSize;
    this.device = device;
    this.precision = precision;
    this.threads = threads;
  }

  /**
   * Creates a model with random parameters.
   *
   * @throws {InputError} If the library or the device cannot be used.
   * @throws {RangeError} If a number is out of range.
   */
  static async open(model: ModelSettings, options: EngineOptions = {}): Promise<Engine> {
    const library = loadLibrary();
    const { device, gpu, precision } = chooseNumerics(options, buildInfo(library));
    const struct = encodeStruct("lrcn_engine_options", {
      device: DEVICES[device] + gpu,
      precision: PRECISIONS[precision],
      threads: options.threads ?? 0,
      vocabulary_size: model.vocabularySize,
      embed_size: model.embedSize,
      hidden_size: model.hiddenSize,
      language_layers: model.languageLayers,
      fusion_layers: model.fusionLayers,
      inject: model.inject === "every" ? 1 : 0,
      initialization: INITIALIZATIONS[options.initialization ?? "random"],
      encoder: ARCHITECTURES[ENCODERS[model.encoder ?? DEFAULT_ENCODER].architecture],
      encoder_width: model.encoderWidth,
      encoder_blocks: Array.from({ length: 7 }, (_, stage) => model.encoderBlocks[stage] ?? 0),
      seed: options.seed ?? 0,
    });
    const pointer = await create(
      "create the model",
      (status, message) => library.symbols.lrcn_engine_create(struct, status, message, message.length),
    );
    const handle = new Handle("engine", pointer, library.symbols.lrcn_engine_destroy);
    try {
      const [threads, featureSize] = [new Int32Array(1), new Int32Array(1)];
      await handle.run(
        "read the number of threads",
        (engine, text) => library.symbols.lrcn_threads(engine, threads, text, text.length),
      );
      // libtorch counts processors, also those that a container's quota denies to this process.
      const available = navigator.hardwareConcurrency;
      if ((options.threads ?? 0) === 0 && (threads[0] ?? 0) > available) {
        handle[Symbol.dispose]();
        return await Engine.open(model, { ...options, threads: available });
      }
      await handle.run(
        "read the feature size",
        (engine, text) => library.symbols.lrcn_feature_size(engine, featureSize, text, text.length),
      );
      return new Engine(library, handle, {
        stages: stagesOf(model),
        featureSize: featureSize[0] ?? 0,
        device,
        precision,
        threads: threads[0] ?? 0,
      });
    } catch (error) {
      handle[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Runs one optimizer step on the mean cross-entropy of the tokens of one or several batches, whose gradients are
   * accumulated; start no other step before it has ended. A step that fails changes no parameter.
   *
   * @param batches At least one batch, each with at least one counted token.
   * @throws {RangeError} If there is no batch.
   */
  async trainStep(batches: readonly Batch[], options: TrainStepOptions): Promise<StepResult> {
    const parts: StepResult[] = [];
    await this.#trainParts(batches, async (batch, part) => {
      const result = new Float64Array(3);
      await this.#trainPart(batch, options, part, result);
      parts.push(stepResult(result));
    });
    return combine(parts);
  }

  /**
   * Queues a step as {@linkcode Engine.trainStep} runs it without waiting for a GPU to finish;
   * {@linkcode Engine.stepResults} returns its result.
   *
   * @param batches At least one batch, each with at least one counted token.
   * @throws {RangeError} If there is no batch.
   */
  async queueStep(batches: readonly Batch[], options: TrainStepOptions): Promise<void> {
    await this.#trainParts(batches, (batch, part) => this.#trainPart(batch, options, part, null));
    this.#queuedSteps.push(batches.length);
  }

  /** Waits for the steps queued by {@linkcode Engine.queueStep} and returns their results, oldest first. */
  async stepResults(): Promise<StepResult[]> {
    if (this.#queuedSteps.length === 0) return [];
    const results = new Float64Array(3 * this.#queuedSteps.reduce((sum, length) => sum + length, 0));
    const count = new BigInt64Array(1);
    await this.#handle.run(
      "read the steps' results",
      (engine, message) =>
        this.#library.symbols.lrcn_step_results(
          engine,
          results,
          BigInt(results.length),
          count,
          message,
          message.length,
        ),
    );
    const parts = Array.from({ length: Number(count[0]) }, (_, index) => stepResult(results.subarray(3 * index)));
    const steps = this.#queuedSteps.map((length) => combine(parts.splice(0, length)));
    this.#queuedSteps = [];
    return steps;
  }

  /** Runs each batch of a step; the last one updates the parameters. */
  async #trainParts(
    batches: readonly Batch[],
    run: (batch: Batch, part: { tokens: number; update: boolean }) => Promise<void>,
  ): Promise<void> {
    if (batches.length === 0) throw new RangeError("Cannot train a step: there is no batch");
    const tokens = batches.length === 1 ? 0 : batches.reduce((sum, batch) => sum + countTokens(batch), 0);
    try {
      for (const [index, batch] of batches.entries()) {
        await run(batch, { tokens, update: index === batches.length - 1 });
      }
    } catch (error) {
      if (batches.length > 1) await this.dropGradients();
      throw error;
    }
  }

  /**
   * Dry run of a step up to its gradients, to claim the memory that the step needs, the optimizer's moments included; with
   * several batches, the gradients of earlier ones stay allocated. Restores parameters, buffers, moments and random state.
   */
  async tryTrainStep(batches: readonly Batch[], options: TrainStepOptions): Promise<void> {
    const moved = (await this.tensors()).filter(({ kind }) => kind === "buffer" || kind === "random");
    const before = await Promise.all(moved.map((tensor) => this.read(tensor)));
    try {
      const result = new Float64Array(3);
      for (const batch of batches) await this.#trainPart(batch, options, { tokens: 0, update: false }, result);
    } finally {
      await this.dropGradients();
      for (const [index, { name }] of moved.entries()) await this.write(name, before[index] ?? new Uint8Array());
    }
  }

  async #trainPart(
    batch: Batch,
    options: TrainStepOptions,
    part: { tokens: number; update: boolean },
    result: Float64Array<ArrayBuffer> | null,
  ): Promise<void> {
    const { trainableFrom = this.#stages[0] ?? "none" } = options;
    const stages = [...this.#stages, "none"];
    if (!stages.includes(trainableFrom)) {
      throw new RangeError(`Cannot train from '${trainableFrom}': the encoder's stages are ${stages.join(", ")}`);
    }
    const struct = encodeStruct("lrcn_train_options", {
      optimizer: OPTIMIZERS[options.optimizer],
      trainable_from: stages.indexOf(trainableFrom),
      batch_norm: BATCH_NORM[options.batchNorm ?? "batch"],
      update: part.update ? 1 : 0,
      counted_tokens: part.tokens,
      feature_dropout: options.featureDropout ?? 0,
      embedding_dropout: options.embeddingDropout ?? 0,
      lstm_dropout: options.lstmDropout ?? 0,
      output_dropout: options.outputDropout ?? 0,
      label_smoothing: options.labelSmoothing ?? 0,
      scheduled_sampling: options.scheduledSampling ?? 0,
      encoder_learning_rate: options.encoderLearningRate,
      decoder_learning_rate: options.learningRate,
      encoder_weight_decay: options.encoderWeightDecay ?? 0,
      decoder_weight_decay: options.weightDecay ?? 0,
      max_gradient_norm: options.maxGradientNorm ?? 0,
    });
    const crops = "crops" in batch.images ? batch.images.crops : null;
    await this.#handle.run("train a step", (engine, message) =>
      this.#library.symbols.lrcn_train_step(
        engine,
        ...batchArguments(batch),
        batch.targets,
        BigInt(batch.targets.length),
        crops,
        BigInt(crops?.length ?? 0),
        batch.rowWeights ?? null,
        BigInt(batch.rowWeights?.length ?? 0),
        struct,
        result,
        result?.length ?? 0,
        message,
        message.length,
      ));
  }

  /** Drops the gradients of the last step. */
  async dropGradients(): Promise<void> {
    await this.#handle.run(
      "drop the gradients",
      (engine, message) => this.#library.symbols.lrcn_drop_gradients(engine, message, message.length),
    );
  }

  /** Computes a batch's loss as in evaluation: no dropout, BatchNorm's running statistics. */
  async evaluateStep(batch: Batch): Promise<Loss> {
    const result = new Float64Array(2);
    await this.#handle.run("evaluate a batch", (engine, message) =>
      this.#library.symbols.lrcn_evaluate_step(
        engine,
        ...batchArguments(batch),
        batch.targets,
        BigInt(batch.targets.length),
        result,
        result.length,
        message,
        message.length,
      ));
    const [loss = NaN, tokens = NaN] = result;
    return { loss, tokens };
  }

  /** Returns the natural logarithm of the probability of each caption's counted tokens, as in evaluation. */
  async score(batch: Batch): Promise<Float64Array<ArrayBuffer>> {
    const logProbabilities = new Float64Array(batch.imageOfRow.length);
    await this.#handle.run("score captions", (engine, message) =>
      this.#library.symbols.lrcn_score(
        engine,
        ...batchArguments(batch),
        batch.targets,
        BigInt(batch.targets.length),
        logProbabilities,
        BigInt(logProbabilities.length),
        message,
        message.length,
      ));
    return logProbabilities;
  }

  /**
   * Computes a heat map for each token of a caption, as in evaluation: Grad-CAM (Selvaraju et al. 2017,
   * https://arxiv.org/abs/1610.02391) on the CNN's last convolution. In each cell of its grid, the channels' values are
   * weighted by the grid mean of the gradient of the token's log-probability, summed, and clamped at 0.
   *
   * @param batch One image with one caption.
   * @returns A map and a probability for each target.
   */
  async explain(batch: Batch & { readonly images: Images }): Promise<HeatMaps> {
    const { images: { height, width }, targets, targetsLength } = batch;
    const [rows, columns] = [gridSide(height), gridSide(width)];
    const probabilities = new Float64Array(targetsLength);
    const heat = new Float64Array(targetsLength * rows * columns);
    const [shape, pixels, pixelsLength, , , , , inputs, inputsLength] = batchArguments(batch);
    await this.#handle.run("explain a caption", (engine, message) =>
      this.#library.symbols.lrcn_explain(
        engine,
        shape,
        pixels,
        pixelsLength,
        inputs,
        inputsLength,
        targets,
        BigInt(targets.length),
        probabilities,
        BigInt(probabilities.length),
        heat,
        BigInt(heat.length),
        message,
        message.length,
      ));
    return { rows, columns, probabilities, heat };
  }

  /** Runs the CNN up to its last pooling. */
  async encode(images: Images): Promise<Features> {
    const values = new Float32Array(images.count * this.#featureSize);
    await this.#handle.run("encode images", (engine, message) =>
      this.#library.symbols.lrcn_encode(
        engine,
        images.count,
        images.height,
        images.width,
        images.pixels,
        BigInt(images.pixels.length),
        values,
        BigInt(values.length),
        message,
        message.length,
      ));
    return { count: images.count, values };
  }

  /** Starts decoding captions from features. Dispose the result. */
  async startDecoding({ count, values }: Features): Promise<Decoding> {
    const begin = this.#library.symbols.lrcn_decoding_create;
    const pointer = await this.#handle.use((engine) =>
      create(
        "start captions",
        (status, message) => begin(engine, count, values, BigInt(values.length), status, message, message.length),
      )
    );
    return new Decoding(this.#library, pointer);
  }

  /**
   * Resizes an image to a short side with an antialiased bilinear filter and takes the center crop, as torchvision's
   * Resize and CenterCrop do with a PIL image.
   *
   * @param crop Side of the crop in pixels, at most shortSide.
   * @param resize `stretch`: to a square of `shortSide` pixels instead.
   * @returns R, G, B of each pixel: crop x crop x 3.
   */
  async resizeCrop(
    image: { readonly width: number; readonly height: number; readonly pixels: Uint8Array },
    shortSide: number,
    crop: number,
    resize: ImageResize = "crop",
  ): Promise<Uint8Array<ArrayBuffer>> {
    const cropped = new Uint8Array(crop * crop * 3);
    await this.#handle.run("resize an image", (engine, message) =>
      this.#library.symbols.lrcn_resize_crop(
        engine,
        image.height,
        image.width,
        image.pixels,
        BigInt(image.pixels.length),
        shortSide,
        resize === "stretch" ? 1 : 0,
        crop,
        cropped,
        BigInt(cropped.length),
        message,
        message.length,
      ));
    return cropped;
  }

  /** Lists the state's tensors: parameters and buffers in PyTorch's order, then the rest. */
  async tensors(): Promise<TensorInfo[]> {
    const length = new BigInt64Array(1);
    const list = (text: Uint8Array<ArrayBuffer> | null) =>
      this.#handle.run("list the model's tensors", (engine, message) =>
        this.#library.symbols.lrcn_tensors(
          engine,
          text,
          BigInt(text?.length ?? 0),
          length,
          message,
          message.length,
        ));
    await list(null);
    const text = new Uint8Array(Number(length[0]));
    await list(text);
    return JSON.parse(new TextDecoder().decode(text));
  }

  /** Reads a tensor's elements, little-endian, row-major. */
  async read(tensor: TensorInfo): Promise<Uint8Array<ArrayBuffer>> {
    const elements = tensor.shape.reduce((product, length) => product * length, 1);
    const bytes = new Uint8Array(elements * { F64: 8, F32: 4, I64: 8, U8: 1 }[tensor.dtype]);
    const name = new TextEncoder().encode(`${tensor.name}\0`);
    await this.#handle.run(
      "read a tensor",
      (engine, message) =>
        this.#library.symbols.lrcn_tensor_read(engine, name, bytes, BigInt(bytes.length), message, message.length),
    );
    return bytes;
  }

  /**
   * Sets a parameter, buffer, moment or the random state.
   *
   * @param bytes Its elements, little-endian, row-major.
   */
  async write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const text = new TextEncoder().encode(`${name}\0`);
    await this.#handle.run(
      "write a tensor",
      (engine, message) =>
        this.#library.symbols.lrcn_tensor_write(engine, text, bytes, BigInt(bytes.length), message, message.length),
    );
  }

  /**
   * Joins a group: from now on training steps are distributed over its processes, which must have the same parameters.
   * Each gives its part of the batch; a step's loss and tokens are those of all.
   */
  async join(group: Group): Promise<void> {
    checkOwnGpu(this.device, group, buildInfo(this.#library));
    await group.use((pointer) =>
      this.#handle.run(
        "join a group",
        (engine, message) => this.#library.symbols.lrcn_engine_join(engine, pointer, message, message.length),
      )
    );
  }

  /** Returns the memory in use by libtorch. */
  async memory(): Promise<Memory> {
    const bytes = new BigInt64Array(3);
    await this.#handle.run(
      "read the memory in use",
      (engine, message) => this.#library.symbols.lrcn_memory(engine, bytes, bytes.length, message, message.length),
    );
    const [inUse = 0, peak = 0, held = 0] = Array.from(bytes, Number);
    return { inUse, peak, held };
  }

  /** Frees the model when its last call has ended. */
  [Symbol.dispose](): void {
    this.#handle[Symbol.dispose]();
  }
}

/** Cells of the last convolution's grid along a side of the image: its pixels / 32, rounded up. */
export function gridSide(pixels: number): number {
  return Math.ceil(pixels / 32);
}

function countTokens({ targets }: Batch): number {
  return targets.reduce((count, token) => token < 0 ? count : count + 1, 0);
}

function stepResult([loss = NaN, tokens = NaN, gradientNorm = NaN]: Float64Array): StepResult {
  return { loss, tokens, gradientNorm };
}

/** The result of a step whose gradients were accumulated over several batches. */
function combine(parts: readonly StepResult[]): StepResult {
  const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
  const loss = parts.reduce((sum, part) => sum + part.loss * part.tokens / tokens, 0);
  return { loss, tokens, gradientNorm: parts.at(-1)?.gradientNorm ?? NaN };
}

function batchArguments(batch: Batch) {
  const { images } = batch;
  const pixels = "pixels" in images ? images.pixels : null;
  const features = "values" in images ? images.values : null;
  const shape = encodeStruct("lrcn_batch_shape", {
    images: images.count,
    height: "pixels" in images ? images.height : 0,
    width: "pixels" in images ? images.width : 0,
    rows: batch.imageOfRow.length,
    inputs_length: batch.inputsLength,
    targets_length: batch.targetsLength,
    crop: "crop" in images ? images.crop : 0,
  });
  return [
    shape,
    pixels,
    BigInt(pixels?.length ?? 0),
    features,
    BigInt(features?.length ?? 0),
    batch.imageOfRow,
    BigInt(batch.imageOfRow.length),
    batch.inputs,
    BigInt(batch.inputs.length),
  ] as const;
}
