import { IMAGE_ENDINGS } from "../images/image_kind.ts";

const IMAGE_ENDING = new RegExp(`\\.(?:${IMAGE_ENDINGS})$`, "i");
const OTHER_ENDING = /\.[a-z][a-z0-9]{1,6}$/i;
/** COCO's numbers of 2014 are those of 2017; spreadsheets and data frames drop zeros and add `.0`. */
const NUMBER = /^(?:coco_(?:train|val|test)20\d\d_)?0*(\d+)(?:\.0)?$/;

/** Recognizes the name of an image file. */
export function isImageName(name: string): boolean {
  return IMAGE_ENDING.test(name);
}

/** The key under which a written name and a file's name are the same; undefined if the name has none. */
export type NameKey = (name: string) => string | undefined;

/** Case and Unicode normalization do not count. */
export function caselessKey(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** `a%20b.jpg` is `a b.jpg`. */
export function decodedKey(name: string): string {
  try {
    return caselessKey(decodeURIComponent(name));
  } catch (error) {
    if (error instanceof URIError) return caselessKey(name);
    throw error;
  }
}

/** The ending does not count: `a`, `a.jpg` and `a.png`; undefined for another kind of file. */
export function stemKey(name: string): string | undefined {
  const decoded = decodedKey(name);
  const stem = decoded.replace(IMAGE_ENDING, "");
  return stem === decoded && OTHER_ENDING.test(decoded) ? undefined : stem;
}

/** Zeros before a number do not count: `1`, `000000000001.jpg` and `COCO_val2014_000000000001.jpg`. */
export function numberKey(name: string): string | undefined {
  return NUMBER.exec(stemKey(name) ?? "")?.[1];
}

/** The parts of a written path, whatever its separators; a URL's or an absolute path's begin with its folders. */
export function pathParts(name: string): string[] {
  return name.replaceAll("\\", "/").split("/").filter((part) => part !== "" && part !== ".");
}
