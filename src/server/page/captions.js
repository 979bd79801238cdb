// Images and their captions.

import { send } from "./api.js";
import { hideHeat, showHeat, warmestPart } from "./heat.js";
import { readSettings } from "./settings.js";

const AT_ONCE = 4;
/** Statuses of files that the model can never caption. */
const NO_IMAGE = [413, 422];

const find = (id) => document.getElementById(id);
const HINT = find("hint").textContent;
const [section, stage, strip] = [find("captions"), find("stage"), find("strip")];
const shownImage = find("image").firstElementChild;

/** Images: file, url, button; and after its request, an answer or a problem. */
const images = [];
let selected;
let waiting = [];
let working = 0;
/** Aborts the explanation of the current caption. */
let explaining = new AbortController();

/** Adds files, and shows the first of them. */
export function addFiles(files) {
  const added = [...files].map((file) => ({ file, url: URL.createObjectURL(file), button: makeButton() }));
  if (added.length === 0) return;
  section.classList.add("filled");
  for (const image of added) {
    const { button, url } = image;
    button.firstElementChild.src = url;
    button.addEventListener("click", () => select(image));
    const item = document.createElement("li");
    item.append(button);
    strip.append(item);
  }
  images.push(...added);
  waiting.push(...added);
  select(added[0]);
  work();
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
  }
  waiting = [...new Set([...waiting, ...chosen])].sort((a, b) => Number(b === selected) - Number(a === selected));
  if (selected !== undefined) show(selected);
  work();
}

function makeButton() {
  const button = document.createElement("button");
  button.type = "button";
  const image = document.createElement("img");
  image.alt = "Image without a caption yet";
  button.append(image);
  return button;
}

function select(image) {
  selected = image;
  for (const { button } of images) button.setAttribute("aria-pressed", String(button === image.button));
  show(image);
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
    image.button.firstElementChild.alt = image.answer.text;
  } catch (error) {
    if (signal.aborted) return; // requested again, or removed
    image.problem = error.message;
    find("problem").textContent = `${image.file.name || "The pasted image"}: ${error.message}`;
    if (NO_IMAGE.includes(error.status)) remove(image);
  }
  if (image === selected) show(image);
}

function remove(image) {
  const { asking, url, button } = image;
  asking?.abort();
  const index = images.indexOf(image);
  images.splice(index, 1);
  waiting = waiting.filter((other) => other !== image);
  button.parentElement.remove();
  URL.revokeObjectURL(url);
  if (image !== selected) return;
  selected = undefined;
  stage.hidden = true;
  find("settings").hidden = images.length === 0;
  if (images.length > 0) select(images[Math.min(index, images.length - 1)]);
}

function show(image) {
  const { answer, problem, url } = image;
  if (shownImage.src !== url) shownImage.src = url;
  stage.hidden = false;
  find("settings").hidden = false;
  stage.classList.toggle("busy", answer === undefined);
  find("retry").hidden = problem === undefined;
  if (answer === undefined) {
    explaining.abort();
    hideHeat();
    shownImage.alt = "Image without a caption yet";
    find("caption").textContent = problem === undefined ? "…" : "No caption yet";
    find("words").replaceChildren();
    find("others").replaceChildren();
    return;
  }
  showCaption(image, answer);
}

/** Shows one caption of an answer, and the others below it. */
function showCaption(image, chosen) {
  const { answer } = image;
  find("caption").textContent = chosen.text || "(empty caption)";
  shownImage.alt = chosen.text;
  find("said").textContent = `Caption: ${chosen.text}`;
  const all = answer.alternatives ? [answer, ...answer.alternatives] : [answer];
  const others = all.filter((other) => other !== chosen && other.text !== chosen.text);
  find("others").replaceChildren(...others.map((other) => {
    const button = document.createElement("button");
    button.type = "button";
    const probability = document.createElement("small");
    probability.textContent = percent(Math.exp(other.logProbability - answer.logProbability));
    button.append(other.text, probability);
    button.addEventListener("click", () => {
      showCaption(image, other);
      find("words").querySelector("button")?.focus();
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
  explain(image, chosen);
}

async function explain({ file }, { tokens }) {
  explaining.abort();
  explaining = new AbortController();
  const { signal } = explaining;
  hideHeat();
  find("hint").textContent = HINT;
  find("words").replaceChildren(...tokens.map((token) => wordButton(token).item));
  if (tokens.length === 0) return;
  try {
    const explanation = await send("/api/explain", { token: tokens }, { image: file, signal });
    const focused = [...find("words").children].findIndex((item) => item.contains(document.activeElement));
    find("words").replaceChildren(...explanation.words.map((word) => explainedWord(word, explanation)));
    find("words").children[focused]?.firstElementChild.focus();
  } catch (error) {
    if (!signal.aborted) find("problem").textContent = error.message;
  }
}

function wordButton(word) {
  const [item, button] = [document.createElement("li"), document.createElement("button")];
  button.type = "button";
  button.append(word);
  item.append(button);
  return { item, button };
}

function explainedWord(explained, explanation) {
  const { item, button } = wordButton(explained.word);
  const { probability } = explained;
  const text = document.createElement("small");
  text.textContent = percent(probability);
  button.append(text);
  button.style.setProperty("--probability", `${100 * probability}%`);
  const part = warmestPart(explained, explanation);
  const where = part === undefined ? "no heat in the image" : `hottest in the ${part} of the image`;
  button.setAttribute("aria-label", `${explained.word}, ${percent(probability)}, ${where}`);
  const warm = () => {
    showHeat(explained, explanation);
    find("hint").textContent = `“${explained.word}”: probability ${percent(probability)}, ${where}.`;
  };
  button.addEventListener("pointerenter", warm);
  button.addEventListener("focus", warm);
  button.addEventListener("click", warm);
  button.addEventListener("pointerleave", () => document.activeElement === button || hideHeat());
  button.addEventListener("blur", hideHeat);
  return item;
}

function percent(fraction) {
  return fraction >= 0.1 ? `${Math.round(100 * fraction)}%` : `${(100 * fraction).toPrecision(2)}%`;
}

find("retry").addEventListener("click", () => {
  captionAnew(images.filter(({ problem }) => problem !== undefined));
});
find("remove").addEventListener("click", () => {
  remove(selected);
  if (images.length === 0) find("files").focus(); // the button is gone
});
