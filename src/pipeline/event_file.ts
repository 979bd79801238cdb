// TensorBoard's event files: records of TensorFlow with a checksum each, which hold protocol buffers of the type Event.

const CASTAGNOLI = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** Numbers of an Event's fields. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 };
const VALUE = { tag: 1, simpleValue: 2 };
/** SessionLog.status = START: what an interrupted run wrote from this step on is void. */
const SESSION_START = [8, 1];

/** Writes scalars for TensorBoard, each at once. */
export class EventFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #now: () => number;

  /**
   * Creates a new file beside those of former sessions.
   *
   * @param step The first step of this session.
   * @param now Milliseconds since 1970.
   */
  constructor(folder: string, step: number, now: () => number = Date.now) {
    const seconds = String(Math.floor(now() / 1000)).padStart(10, "0");
    const path = `${folder}/events.out.tfevents.${seconds}.${crypto.randomUUID()}.lrcn`;
    this.#file = Deno.openSync(path, { write: true, createNew: true });
    this.#now = now;
    this.#write(0, bytesField(EVENT.fileVersion, new TextEncoder().encode("brain.Event:2")));
    this.#write(step, bytesField(EVENT.sessionLog, SESSION_START));
  }

  /** Writes scalars by name, at a step. */
  add(step: number, scalars: Readonly<Record<string, number>>): void {
    const values = Object.entries(scalars).flatMap(([tag, value]) => {
      const name = bytesField(VALUE.tag, new TextEncoder().encode(tag));
      return bytesField(1, [
        ...name,
        key(VALUE.simpleValue, 5),
        ...littleEndian(4, (view) => view.setFloat32(0, value, true)),
      ]);
    });
    this.#write(step, bytesField(EVENT.summary, values));
  }

  #write(step: number, what: readonly number[]): void {
    const time = littleEndian(8, (view) => view.setFloat64(0, this.#now() / 1000, true));
    // Zero is the default.
    const steps = step === 0 ? [] : [key(EVENT.step, 0), ...varint(step)];
    const event = Uint8Array.from([key(EVENT.wallTime, 1), ...time, ...steps, ...what]);
    const length = littleEndian(8, (view) => view.setBigUint64(0, BigInt(event.length), true));
    const record = Uint8Array.from([...length, ...checksum(length), ...event, ...checksum(event)]);
    for (let written = 0; written < record.length;) written += this.#file.writeSync(record.subarray(written));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** The masked CRC-32C of TensorFlow's records. */
function checksum(bytes: Uint8Array): Uint8Array {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CASTAGNOLI[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  const value = ~crc >>> 0;
  const masked = (((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0;
  return littleEndian(4, (view) => view.setUint32(0, masked, true));
}

function littleEndian(bytes: number, set: (view: DataView) => void): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(bytes));
  set(view);
  return new Uint8Array(view.buffer);
}

function key(field: number, type: number): number {
  return field << 3 | type;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(rest % 128 | 128);
  return [...bytes, rest];
}

function bytesField(field: number, bytes: ArrayLike<number> & Iterable<number>): number[] {
  return [key(field, 2), ...varint(bytes.length), ...bytes];
}
