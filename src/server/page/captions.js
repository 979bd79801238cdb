// Images and their captions: a list, or one image.

import { send } from "./api.js";
import { copy } from "./copy.js";
import { download } from "./download.js";
import { readSettings } from "./settings.js";
import { hideImage, showImage } from "./single.js";
import { store, storedImages, unstore } from "./stored_images.js";

const AT_ONCE = 4;
/** Statuses of files that the model can never caption. */
const NO_IMAGE = [413, 422];

const find = (id) => document.getElementById(id);
const [section, list] = [find("captions"), find("list")];

/** Images: file, name, url, row, stored (a promise of its id), isLost; and after its request, an answer or a problem. */
const images = [];
/** The one that is shown alone; undefined for the list. */
let selected;
let waiting = [];
let working = 0;

/** Adds files: one is shown, several are listed. */
export function addFiles(files) {
  const added = addAll([...files], (file) => store(file));
  if (added.length > 0) select(added.length === 1 ? added[0] : undefined);
}

/** Adds the images that were here before a reload. */
export async function restoreImages() {
  const found = await storedImages();
  const ids = new Map(found.map(({ file, id }) => [file, id]));
  addAll([...ids.keys()], (file) => Promise.resolve(ids.get(file)));
  if (found.length > 0) select(images.length === 1 ? images[0] : undefined);
}

function addAll(files, keep) {
  const added = files.map((file) => {
    const image = {
      file,
      name: freeName(file.name || "pasted.png"),
      url: URL.createObjectURL(file),
      stored: keep(file),
    };
    image.row = makeRow(image);
    images.push(image);
    list.append(image.row.item);
    return image;
  });
  waiting.push(...added);
  for (const image of added) {
    image.stored.then((id) => {
      image.isLost = id === undefined;
      update();
    });
  }
  work();
  return added;
}

/** Names are those of rows and files, so that two images do not share one. */
function freeName(name) {
  const [, stem, ending] = /^(.*?)(\.[^.]*)?$/s.exec(name);
  const isTaken = (name) => images.some((image) => image.name === name);
  let free = name;
  for (let copy = 2; isTaken(free); copy++) free = `${stem} (${copy})${ending ?? ""}`;
  return free;
}

/** Captions all images again, the selected one first. */
export function captionAgain() {
  captionAnew(images);
}

function captionAnew(chosen) {
  find("problem").textContent = "";
  for (const image of chosen) {
    image.asking?.abort();
    image.answer = image.problem = undefined;
    updateRow(image);
  }
  waiting = [...new Set([...waiting, ...chosen])].sort((a, b) => Number(b === selected) - Number(a === selected));
  select(selected);
  work();
}

/** Shows an image, or the list. */
function select(image) {
  selected = image;
  if (image === undefined) hideImage();
  else showImage(image);
  update();
}

/** Shows what there is of the list and its tools. */
function update() {
  const isEmpty = images.length === 0;
  section.classList.toggle("filled", !isEmpty);
  for (const id of ["tools", "settings"]) find(id).hidden = isEmpty;
  list.hidden = isEmpty || selected !== undefined;
  find("all").hidden = selected === undefined || images.length < 2;
  find("retry").hidden = !images.some(({ problem }) => problem !== undefined);
  const done = images.filter(({ answer }) => answer !== undefined).length;
  for (const button of find("exports").querySelectorAll("[data-kind]")) button.disabled = done === 0;
  const count = images.length === 1 ? "1 image" : `${images.length} images`;
  const lost = images.filter(({ isLost }) => isLost).length;
  const note = lost === 0 ? "" : `, ${lost === images.length ? "" : `${lost} `}not kept over a reload`;
  find("total").textContent = (done === images.length ? count : `${done} of ${count} captioned`) + note;
}

function makeRow(image) {
  const item = document.createElement("li");
  const [open, thumbnail, text, name, caption, more, actions] = ["button", "img", "div", "p", "p", "details", "p"]
    .map((tag) => document.createElement(tag));
  open.type = "button";
  open.className = "open";
  Object.assign(thumbnail, { src: image.url, alt: "", loading: "lazy" });
  open.append(thumbnail);
  open.setAttribute("aria-label", `Show ${image.name} alone`);
  open.addEventListener("click", () => select(image));
  name.className = "name";
  name.textContent = image.name;
  caption.className = "caption";
  const [summary, others] = ["summary", "ol"].map((tag) => document.createElement(tag));
  more.append(summary, others);
  text.append(name, caption, more);
  actions.className = "actions";
  const copying = makeButton("Copy", () => copy(image.answer.text, copying));
  const where = makeButton("Heat maps", () => select(image));
  const removing = makeButton("Remove", () => remove(image));
  actions.append(copying, where, removing);
  item.append(open, text, actions);
  const row = { item, caption, more, summary, others, copying };
  fillRow(row, image);
  return row;
}

function makeButton(label, press) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", press);
  return button;
}

function updateRow(image) {
  fillRow(image.row, image);
}

function fillRow({ item, caption, more, summary, others, copying }, { answer, problem }) {
  item.classList.toggle("busy", answer === undefined);
  copying.disabled = answer === undefined;
  caption.textContent = answer === undefined ? problem ?? "…" : answer.text || "(empty caption)";
  const alternatives = (answer?.alternatives ?? []).filter((other) => other.text !== answer.text);
  more.hidden = alternatives.length === 0;
  summary.textContent = alternatives.length === 1 ? "1 other caption" : `${alternatives.length} other captions`;
  others.replaceChildren(...alternatives.map((other) => {
    const line = document.createElement("li");
    line.textContent = other.text;
    return line;
  }));
}

function work() {
  while (working < AT_ONCE && waiting.length > 0) {
    working++;
    caption(waiting.shift()).finally(() => {
      working--;
      work();
    });
  }
}

async function caption(image) {
  image.asking = new AbortController();
  const { signal } = image.asking;
  try {
    image.answer = await send("/api/caption", readSettings(), { image: image.file, signal });
  } catch (error) {
    if (signal.aborted) return; // requested again, or removed
    image.problem = error.message;
    find("problem").textContent = `${image.name}: ${error.message}`;
    if (NO_IMAGE.includes(error.status)) {
      if (image === selected) select(undefined); // the image beside it in the list was not asked for
      remove(image);
    }
  }
  updateRow(image);
  if (image === selected) showImage(image);
  update();
}

function remove(image) {
  const { asking, url, row, stored } = image;
  asking?.abort();
  const index = images.indexOf(image);
  if (index < 0) return;
  images.splice(index, 1);
  waiting = waiting.filter((other) => other !== image);
  row.item.remove();
  URL.revokeObjectURL(url);
  stored.then((id) => id === undefined || unstore(id));
  select(image === selected ? images[Math.min(index, images.length - 1)] : selected);
}

find("retry").addEventListener("click", () => {
  captionAnew(images.filter(({ problem }) => problem !== undefined));
});
find("remove").addEventListener("click", () => {
  remove(selected);
  if (images.length === 0) find("files").focus(); // the button is gone
});
find("all").addEventListener("click", () => {
  const { row } = selected;
  select(undefined);
  row.item.querySelector("button").focus();
});
find("clear").addEventListener("click", () => {
  selected = undefined;
  for (const image of [...images]) remove(image);
  find("problem").textContent = "";
  find("files").focus(); // the button is gone
});
for (const button of find("exports").querySelectorAll("[data-kind]")) {
  button.addEventListener("click", () => {
    download(images.filter(({ answer }) => answer !== undefined), button.dataset.kind)
      .catch(({ message }) => find("problem").textContent = `Cannot download: ${message}`);
  });
}
