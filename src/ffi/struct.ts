/** A struct's fields after `size`, in the header's order. */
export interface StructField {
  /** The field's name in the header. */
  readonly name: string;
  /** Its C type: `int32_t`, `int64_t`, `double` or `char`. */
  readonly type: "i32" | "i64" | "f64" | "char";
  /** Number of elements, if it is an array. */
  readonly count: number;
}

/** Layouts of the structs, compared with the header by a test. */
export const STRUCTS = {
  lrcn_engine_options: fields(
    "i32 device precision threads vocabulary_size embed_size hidden_size language_layers fusion_layers inject initialization encoder encoder_width encoder_blocks[7]",
    "i64 seed",
  ),
  lrcn_batch_shape: fields("i32 images height width rows inputs_length targets_length crop"),
  lrcn_group_options: fields("i32 rank world_size port hosted timeout", "char address[256] prefix[256]"),
  lrcn_train_options: fields(
    "i32 optimizer trainable_from batch_norm update counted_tokens",
    "f64 feature_dropout embedding_dropout lstm_dropout output_dropout label_smoothing scheduled_sampling",
    "f64 encoder_learning_rate decoder_learning_rate encoder_weight_decay decoder_weight_decay",
    "f64 max_gradient_norm",
  ),
} as const;

function fields(...groups: string[]): readonly StructField[] {
  return groups.flatMap((group) => {
    const [type, ...names] = group.split(" ");
    if (type !== "i32" && type !== "i64" && type !== "f64" && type !== "char") {
      throw new TypeError(`Unknown field type '${type}'`);
    }
    return names.map((text) => {
      const [name = "", count] = text.split(/[[\]]/);
      return { name, type, count: count === undefined ? 1 : Number(count) };
    });
  });
}

const SIZES = { i32: 4, i64: 8, f64: 8, char: 1 } as const;

function size(field: StructField): number {
  return SIZES[field.type] * field.count;
}

/**
 * Encodes an option struct as the C compiler lays it out, its own size first. Missing fields are 0.
 *
 * @throws {RangeError} If a value does not fit its type, or an array's length is wrong.
 * @throws {TypeError} If a name is not a field.
 */
export function encodeStruct(
  name: keyof typeof STRUCTS,
  values: Record<string, number | string | readonly number[]>,
): Uint8Array<ArrayBuffer> {
  const layout = STRUCTS[name];
  const unknown = Object.keys(values).find((key) => !layout.some((field) => field.name === key));
  if (unknown !== undefined) throw new TypeError(`Cannot encode ${name}: it has no field '${unknown}'`);
  const bytes = new Uint8Array(layout.reduce((total, field) => total + size(field), 4));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length, true);
  let offset = 4;
  for (const field of layout) {
    const given = values[field.name] ?? new Array<number>(field.count).fill(0);
    const elements = typeof given === "number"
      ? [given]
      : typeof given === "string"
      ? charactersOf(given, field)
      : given;
    if (elements.length !== field.count) {
      throw new RangeError(`Cannot encode ${name}: '${field.name}' has ${elements.length} values, not ${field.count}`);
    }
    for (const element of elements) {
      if (field.type === "f64") view.setFloat64(offset, element, true);
      else if (field.type === "char" && element >= 0 && element < 256) view.setUint8(offset, element);
      else if (field.type === "i32" && element === (element | 0)) view.setInt32(offset, element, true);
      else if (field.type === "i64" && Number.isSafeInteger(element)) view.setBigInt64(offset, BigInt(element), true);
      else throw new RangeError(`Cannot encode ${name}: '${field.name}' is ${element}, not a valid ${field.type}`);
      offset += size(field) / field.count;
    }
  }
  return bytes;
}

/** The text's bytes, NUL-padded to the field's size with at least one NUL. */
function charactersOf(text: string, { name, count }: StructField): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  if (bytes.length < count) return [...bytes, ...new Array<number>(count - bytes.length).fill(0)];
  throw new RangeError(`Cannot encode '${name}': '${text}' has ${bytes.length} bytes, more than ${count - 1}`);
}
