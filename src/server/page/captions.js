// Images and what the model says of them.

import { send } from "./api.js";
import { hideHeat, showHeat, warmestPart } from "./heat.js";
import { readSettings } from "./settings.js";

const AT_ONCE = 4;
/** Answers that say of a file that it is no image for the model, now or later. */
const NO_IMAGE = [413, 422];

const find = (id) => document.getElementById(id);
const HINT = find("hint").textContent;
const [section, stage, strip] = [find("captions"), find("stage"), find("strip")];
const picture = find("image").firstElementChild;

/** Images: file, url, button; and once it has been asked for its caption, an answer or a problem. */
const images = [];
let selected;
let waiting = [];
let working = 0;
/** Ends what is asked of the caption that is shown. */
let explaining = new AbortController();

/** Takes files in, and shows the first of them. */
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

/** Captions all images anew, the one that is shown first. */
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
  image.alt = "Example without a caption yet";
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
    image.button.firstElementChild.alt = image.answer.caption;
  } catch (error) {
    if (signal.aborted) return; // it is asked again, or has been removed
    image.problem = error.message;
    find("problem").textContent = `${image.file.name || "The pasted image"}: ${error.message}`;
    if (NO_IMAGE.includes(error.status)) remove(image);
  }
  if (image === selected) show(image);
}

function remove(image) {
  const { asking, url, button } = image;
  asking?.abort();
  const place = images.indexOf(image);
  images.splice(place, 1);
  waiting = waiting.filter((other) => other !== image);
  button.parentElement.remove();
  URL.revokeObjectURL(url);
  if (image !== selected) return;
  selected = undefined;
  stage.hidden = true;
  find("settings").hidden = images.length === 0;
  if (images.length > 0) select(images[Math.min(place, images.length - 1)]);
}

function show(image) {
  const { answer, problem, url } = image;
  if (picture.src !== url) picture.src = url;
  stage.hidden = false;
  find("settings").hidden = false;
  stage.classList.toggle("busy", answer === undefined);
  find("retry").hidden = problem === undefined;
  if (answer === undefined) {
    explaining.abort();
    hideHeat();
    picture.alt = "Example without a caption yet";
    find("caption").textContent = problem === undefined ? "…" : "No caption yet";
    find("words").replaceChildren();
    find("others").replaceChildren();
    return;
  }
  showCaption(image, answer);
}

/** Shows one of an answer's captions, the others below it. */
function showCaption(image, chosen) {
  const { answer } = image;
  find("caption").textContent = chosen.caption || "(no words)";
  picture.alt = chosen.caption;
  find("said").textContent = `Caption: ${chosen.caption}`;
  const all = answer.alternatives ? [answer, ...answer.alternatives] : [answer];
  const others = all.filter((other) => other !== chosen && other.caption !== chosen.caption);
  find("others").replaceChildren(...others.map((other) => {
    const button = document.createElement("button");
    button.type = "button";
    const probability = document.createElement("small");
    probability.textContent = percent(Math.exp(other.logProbability - answer.logProbability));
    button.append(other.caption, probability);
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
  const share = document.createElement("small");
  share.textContent = percent(probability);
  button.append(share);
  button.style.setProperty("--share", `${100 * probability}%`);
  const part = warmestPart(explained, explanation);
  const where = part === undefined ? "no part of the image spoke for it" : `the ${part} of the image spoke most for it`;
  button.setAttribute("aria-label", `${explained.word}, ${percent(probability)}, ${where}`);
  const warm = () => {
    showHeat(explained, explanation);
    find("hint").textContent = `“${explained.word}”: ${percent(probability)} sure after the words before it; ${where}.`;
  };
  button.addEventListener("pointerenter", warm);
  button.addEventListener("focus", warm);
  button.addEventListener("click", warm);
  button.addEventListener("pointerleave", () => document.activeElement === button || hideHeat());
  button.addEventListener("blur", hideHeat);
  return item;
}

function percent(share) {
  return share >= 0.1 ? `${Math.round(100 * share)}%` : `${(100 * share).toPrecision(2)}%`;
}

find("retry").addEventListener("click", () => {
  captionAnew(images.filter(({ problem }) => problem !== undefined));
});
find("remove").addEventListener("click", () => {
  remove(selected);
  if (images.length === 0) find("files").focus(); // the button is gone
});
