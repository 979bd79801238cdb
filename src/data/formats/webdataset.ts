// Examples in tar shards, as read by the WebDataset library: `key.jpg`, and `key.txt`, `key.caption`, `key.captions` or `key.json`.

import { relative } from "node:path";
import { z } from "zod";
import { quoted } from "../../printable.ts";
import { openFile, type RandomAccessFile } from "../../files/open_file.ts";
import { tarMembers } from "../../files/tar.ts";
import { InputError } from "../../input_error.ts";
import type { ImageFile } from "../../images/image_file.ts";
import { captionLines, remarkOnLines } from "./caption_lines.ts";
import { type CaptionData, CaptionRows, type RejectedRow, wrongName } from "./caption_rows.ts";
import { checked, parseJson } from "../../files/json_text.ts";
import { IMAGE_ENDINGS } from "../../images/image_kind.ts";

/** Longer texts are not captions. */
const MAX_CAPTION_BYTES = 1 << 20;
/** Members inspected to recognize a shard. */
const PEEK_MEMBERS = 32;

const jsonSchema = z.object({ caption: z.unknown().optional(), captions: z.unknown().optional() });

/** Members that would be an image or a text if their key had no dot. */
const DOTTED = new RegExp(`\\.(?:${IMAGE_ENDINGS}|txt|captions?|json)$`, "i");
const IMAGE_ENDING = new RegExp(`^(?:${IMAGE_ENDINGS})$`);

export interface WebdatasetOptions {
  /** The folder that the shards' names are relative to. */
  folder: string;
}

/**
 * Reads tar shards in one pass over their headers. Images stay in the shards: only their positions are kept, under the
 * name `shard.tar/key.jpg`. A `.json` has `captions` or a `caption`; it may hold other data, so it is rejected only if its
 * key has no caption at all. Each line of a `.txt` is a caption, unless the `.json` has the same text as one. A damaged shard yields what precedes the damage.
 */
export async function readWebdataset(
  shards: readonly string[],
  { folder }: WebdatasetOptions,
): Promise<CaptionData & { images: ReadonlyMap<string, ImageFile> }> {
  const images = new Map<string, ImageFile>();
  const lineCounts: number[] = [];
  const all: { rows: CaptionData["rows"][number][]; rejected: RejectedRow[] } = { rows: [], rejected: [] };
  for (const path of shards) {
    const captions = new CaptionRows(path);
    const samples = await readShard(path, captions);
    for (const [key, { image, texts, listed, failed, wrongJson }] of samples) {
      const written = texts.filter((text) => !hasSameWords(listed, text)).map(captionLines);
      const lines = new Set([...listed, ...written.flat()]);
      for (const { length } of written) lineCounts.push(length);
      if (image === undefined) captions.reject("has no image", quoted(key));
      else if (lines.size === 0 && wrongJson !== undefined) captions.reject(wrongJson.reason, quoted(wrongJson.name));
      else if (lines.size === 0 && !failed) captions.reject("has no caption in a .txt or .json", quoted(image.name));
      if (image === undefined) continue;
      const name = `${relative(folder, path)}/${image.name}`;
      images.set(name, { path, offset: image.offset, size: image.size, member: image.name });
      if (lines.size > 0) captions.addAll(name, [...lines], quoted(image.name));
    }
    for (const row of captions.rows) all.rows.push(row);
    for (const row of captions.rejected) all.rejected.push(row);
  }
  const remark = remarkOnLines(lineCounts);
  return { ...all, images, ...(remark !== undefined && { remarks: [remark] }) };
}

/** Programs that write shards put the same caption into both files, also one with line breaks. */
function hasSameWords(captions: readonly string[], text: string): boolean {
  const joined = (words: string) => words.trim().split(/\s+/).join(" ");
  return captions.some((caption) => joined(caption) === joined(text));
}

/** Tells whether a tar has images with captions among its first members. */
export async function isWebdataset(path: string): Promise<boolean> {
  const kinds = new Map<string, Set<string>>();
  let left = PEEK_MEMBERS;
  try {
    using file = await openFile(path);
    for await (const { name, isFile } of tarMembers(file, path)) {
      const member = isFile ? splitName(name) : undefined;
      if (member !== undefined) {
        const seen = kinds.get(member.key) ?? new Set();
        kinds.set(member.key, seen.add(member.kind === "image" ? "image" : "text"));
        if (seen.size === 2) return true;
      }
      if (--left === 0) return false;
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
  return false;
}

interface Sample {
  image?: { readonly name: string; readonly offset: number; readonly size: number };
  /** The contents of its texts. */
  readonly texts: string[];
  /** The captions in its JSON. */
  readonly listed: string[];
  /** A text was rejected with a reason of its own. */
  failed: boolean;
  /** The reason its JSON cannot be used. */
  wrongJson?: { readonly name: string; readonly reason: string };
}

async function readShard(path: string, captions: CaptionRows): Promise<ReadonlyMap<string, Sample>> {
  const samples = new Map<string, Sample>();
  const dotted: string[] = [];
  try {
    using file = await openFile(path);
    for await (const { name: written, isFile, offset, size } of tarMembers(file, path)) {
      const name = written.replace(/^(?:\.\/)+/, "");
      const member = splitName(name);
      if (member === undefined) {
        if (DOTTED.test(name)) dotted.push(name);
        continue;
      }
      const wrong = wrongName(name) ?? (isFile ? undefined : "is a link or a folder, not a file");
      if (wrong !== undefined) {
        captions.reject(wrong, quoted(name));
        continue;
      }
      const sample = samples.get(member.key) ?? { texts: [], listed: [], failed: false };
      samples.set(member.key, sample);
      if (member.kind !== "image") {
        const { texts, wrong } = await readTexts(file, { kind: member.kind, offset, size });
        const its = member.kind === "json" ? sample.listed : sample.texts;
        for (const text of texts) its.push(text);
        if (wrong !== undefined && member.kind === "json" && texts.length === 0) {
          sample.wrongJson = { name, reason: wrong };
        } else if (wrong !== undefined) {
          captions.reject(wrong, quoted(name));
          sample.failed = true;
        }
      } else if (sample.image === undefined) sample.image = { name, offset, size };
      else captions.reject(`has the key of ${quoted(sample.image.name)}`, quoted(name));
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    captions.rejected.push({ file: path, reason: error.message.replace(/^Cannot read '.*?': /, "") });
  }
  const [first] = dotted;
  if (first !== undefined && samples.values().every(({ texts, listed }) => texts.length + listed.length === 0)) {
    captions.reject(
      `and ${dotted.length - 1} more are skipped: a key ends at the first dot of a name`,
      quoted(first),
    );
  }
  return samples;
}

async function readTexts(
  file: RandomAccessFile,
  { kind, offset, size }: { kind: "text" | "json"; offset: number; size: number },
): Promise<{ texts: readonly string[]; wrong?: string }> {
  if (size > MAX_CAPTION_BYTES) return { texts: [], wrong: `has ${size} bytes, too many for captions` };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await file.read(offset, size));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { texts: [], wrong: "is not text in UTF-8" };
  }
  if (kind === "text") return { texts: text.trim() === "" ? [] : [text] };
  let value: unknown;
  try {
    value = parseJson(text, "");
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { texts: [], wrong: "is not JSON" };
  }
  const entry = checked(value, jsonSchema);
  if ("wrong" in entry) return { texts: [], ...entry };
  const entries: unknown[] = [entry.value.captions ?? entry.value.caption].flat().filter((text) => text != null);
  const texts = entries.filter((text) => typeof text === "string");
  return {
    texts: texts.map((text) => text.trim()).filter((text) => text !== ""),
    ...(texts.length < entries.length && { wrong: "has a caption that is not text" }),
  };
}

/** Like the library: the key ends at the first dot of the file's name. */
function splitName(name: string): { key: string; kind: "image" | "text" | "json" } | undefined {
  const [, key, extension = ""] = /^((?:.*\/)?[^/.]+)\.([^/]+)$/s.exec(name) ?? [];
  if (key === undefined) return undefined;
  const lower = extension.toLowerCase();
  if (IMAGE_ENDING.test(lower)) return { key, kind: "image" };
  return /^(?:txt|captions?)$/.test(lower)
    ? { key, kind: "text" }
    : lower === "json"
    ? { key, kind: "json" }
    : undefined;
}
