// Captions as files.

/** Loaded from the server when it is needed. */
const ZIP = "/fflate.js";

const FORMATS = {
  csv: (images) => {
    const rows = [["image", "caption"], ...images.map(({ name, answer }) => [name, answer.text])];
    return textFile("csv", "text/csv", rows.map((row) => `${row.map(field).join(",")}\r\n`).join(""));
  },
  jsonl: (images) => {
    const lines = images.map(({ name, answer: { text, logProbability, alternatives = [] } }) => ({
      image: name,
      text,
      logProbability,
      alternatives: alternatives.map(({ text, logProbability }) => ({ text, logProbability })),
    }));
    return textFile("jsonl", "application/jsonl", lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  },
  txt: async (images) => {
    const { zipSync, strToU8 } = await import(ZIP);
    const files = textNames(images.map(({ name }) => name))
      .map((name, index) => [name, strToU8(`${images[index].answer.text}\n`)]);
    return new File([zipSync(Object.fromEntries(files))], "captions.zip", { type: "application/zip" });
  },
};

/** Downloads the captions of images: `csv`, `jsonl`, or `txt` for a text beside each image. */
export async function download(images, kind) {
  const file = await FORMATS[kind](images);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function textFile(ending, type, content) {
  return new File([content], `captions.${ending}`, { type });
}

function field(value) {
  return /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** `a.txt` beside `a.jpg`; `a.jpg.txt` and `a.png.txt` if two images would share one. */
function textNames(names) {
  const stem = (name) => name.replace(/\.[^.]+$/, "");
  const counts = Map.groupBy(names, (name) => stem(name).toLowerCase());
  return names.map((name) => `${counts.get(stem(name).toLowerCase()).length > 1 ? name : stem(name)}.txt`);
}
