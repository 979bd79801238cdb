import { captionKeys } from "./formats/entry_keys.ts";

/** What a file is that holds no captions to read. */
export interface FileKind {
  /** A description: "empty", "compressed with gzip". */
  readonly name: string;
  /** What the user can do. */
  readonly remedy: string;
}

/** The Python that makes of a Parquet file with images a folder of photos with texts, and without images a CSV file. */
export const PARQUET_IN_PYTHON = {
  withImages: [
    'import pandas, pathlib; rows = enumerate(pandas.read_parquet("FILE").to_dict("records"))',
    'for i, r in rows: pathlib.Path(f"{i}.jpg").write_bytes(r["image"]["bytes"]); c = r["caption"]; ' +
    'pathlib.Path(f"{i}.txt").write_text("\\n".join(" ".join(t.split()) for t in ([c] if isinstance(c, str) else c)), "utf-8")',
  ],
  withoutImages: ["import pandas", 'pandas.read_parquet("FILE").to_csv("captions.csv", index=False)'],
} as const;

const UNPACK = "unpack it";
const TABLE = "save its table as CSV in UTF-8";

/** Kinds by their first bytes in hexadecimal digits. */
const KINDS: readonly (readonly [start: string, kind: FileKind])[] = [
  ["1f8b", { name: "compressed with gzip", remedy: UNPACK }],
  ["425a68", { name: "compressed with bzip2", remedy: UNPACK }],
  ["fd377a585a00", { name: "compressed with xz", remedy: UNPACK }],
  ["28b52ffd", { name: "compressed with zstd", remedy: UNPACK }],
  ["377abcaf271c", { name: "a 7z archive", remedy: UNPACK }],
  ["526172211a07", { name: "a RAR archive", remedy: UNPACK }],
  ["504b", { name: "a zip archive", remedy: UNPACK }],
  ["fffe", { name: "text in UTF-16", remedy: "convert it to UTF-8" }],
  ["feff", { name: "text in UTF-16", remedy: "convert it to UTF-8" }],
  ["4152524f5731", { name: "an Arrow file", remedy: "convert it as docs/your-own-data.md shows for Arrow" }],
  ["ffffffff", { name: "an Arrow file", remedy: "convert it as docs/your-own-data.md shows for Arrow" }],
  ["d0cf11e0a1b11ae1", { name: "an Excel workbook", remedy: TABLE }],
  ["53514c69746520", { name: "an SQLite database", remedy: TABLE }],
  ["894844460d0a1a0a", { name: "an HDF5 file", remedy: TABLE }],
];

/** Endings of files of these kinds, and of archives. */
export const OTHER_ENDING =
  /\.(?:tar\.\w+|tgz|gz|bz2|xz|zst|zip|7z|rar|parquet|arrow|feather|xlsx?|sqlite|db|h5|hdf5)$/i;

/**
 * Recognizes a file of another kind than text or tar.
 *
 * @param tail Its last bytes; empty if `head` is the whole file.
 */
export function fileKind(path: string, head: Uint8Array, tail: Uint8Array): FileKind | undefined {
  const start = head.subarray(0, 8).toHex();
  if (start.startsWith("50415231")) return parquetKind(path, tail.length === 0 ? head : tail);
  const kind = KINDS.find(([bytes]) => start.startsWith(bytes))?.[1];
  return start.startsWith("504b") && /\.xlsx$/i.test(path) ? { name: "an Excel workbook", remedy: TABLE } : kind;
}

/** The columns are described at the end of the file: an image of Hugging Face's has the column `bytes`. */
function parquetKind(path: string, tail: Uint8Array): FileKind {
  const text = new TextDecoder("latin1").decode(tail);
  const image = /"([^"\\]+)":\s*\{[^{}]*"_type":\s*"Image"/.exec(text)?.[1];
  const hasImages = image !== undefined || text.includes("\x05bytes");
  const columns = [...text.matchAll(/"([\w .-]+)":\s*[{[]/g)].map(([, name = ""]) => name);
  const captions = [...new Set(captionKeys(columns))].map((name) => `r[${JSON.stringify(name)}]`);
  const lines = PARQUET_IN_PYTHON[hasImages ? "withImages" : "withoutImages"];
  const [first, second] = lines.map((line) =>
    line.replace("FILE", path.split("/").at(-1) ?? "")
      .replace('r["image"]', `r[${JSON.stringify(image ?? "image")}]`)
      .replace('r["caption"]', captions.length > 1 ? `[${captions.join(", ")}]` : captions[0] ?? 'r["caption"]')
  );
  return { name: "a Parquet file", remedy: `convert it with two lines of Python: ${first} and then ${second}` };
}
