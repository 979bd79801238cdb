// One image: its caption, the words with their heat maps, the other captions.

import { send } from "./api.js";
import { copy } from "./copy.js";
import { hasMaps, hideHeat, showHeat, warmestPart } from "./heat.js";

const find = (id) => document.getElementById(id);
const HINTS = {
  pointing: "Point at a word, or focus it with the Tab key, to see its heat map.",
  touching: "Tap a word to see its heat map.",
  working: "Computing where each word comes from…",
  none: "The model sees the image as a whole: it has no heat maps.",
};
const [stage, words, hint, shownImage] = [find("stage"), find("words"), find("hint"), find("image").firstElementChild];

let shown;
/** The caption of the image that is shown. */
let chosen;
/** Aborts the explanation of the current caption. */
let explaining = new AbortController();

/** Hides the image. */
export function hideImage() {
  explaining.abort();
  hideHeat();
  shown = chosen = undefined;
  stage.hidden = true;
}

/** Shows an image, and its answer if it has one. */
export function showImage(image) {
  const { answer, problem, url, name } = image;
  if (image === shown && answer !== undefined && answer === chosen?.answer) return;
  shown = image;
  chosen = undefined;
  if (shownImage.src !== url) shownImage.src = url;
  stage.hidden = false;
  stage.classList.toggle("busy", answer === undefined);
  find("name").textContent = name;
  find("copy").disabled = answer === undefined;
  if (answer === undefined) {
    explaining.abort();
    hideHeat();
    shownImage.alt = "Image without a caption yet";
    find("caption").textContent = problem ?? "…";
    words.replaceChildren();
    find("others").replaceChildren();
    hint.textContent = "";
    return;
  }
  const captions = [answer, ...answer.alternatives ?? []];
  const distinct = captions.filter(({ text }, index) => index === captions.findIndex((other) => other.text === text));
  find("others").replaceChildren(...distinct.map(captionItem));
  showCaption(answer);
}

function captionItem(caption) {
  const [item, button, text, probability] = ["li", "button", "span", "small"].map((tag) => document.createElement(tag));
  button.type = "button";
  text.textContent = caption.text || "(empty caption)";
  // Of a word, since captions of different lengths are compared; the end counts as one.
  probability.textContent = percent(Math.exp(caption.logProbability / (caption.tokens.length + 1)));
  button.append(text, probability);
  button.addEventListener("click", () => {
    showCaption(caption);
    words.querySelector("button")?.focus();
  });
  item.append(button);
  return item;
}

/** Shows one of the captions of the image. */
function showCaption(caption) {
  chosen = { answer: shown.answer, caption: caption.text };
  find("caption").textContent = caption.text || "(empty caption)";
  shownImage.alt = caption.text;
  find("said").textContent = `Caption: ${caption.text}`;
  for (const button of find("others").querySelectorAll("button")) {
    const isChosen = button.firstElementChild.textContent === find("caption").textContent;
    button.setAttribute("aria-pressed", String(isChosen));
  }
  explain(shown, caption);
}

async function explain({ file }, { tokens }) {
  explaining.abort();
  explaining = new AbortController();
  const { signal } = explaining;
  hideHeat();
  words.replaceChildren(...tokens.map((token) => wordButton(token).item));
  if (tokens.length === 0) return;
  hint.textContent = HINTS.working;
  words.setAttribute("aria-busy", "true");
  try {
    const explanation = await send("/api/explain", { token: tokens }, { image: file, signal });
    const pointing = matchMedia("(hover: none)").matches ? HINTS.touching : HINTS.pointing;
    hint.textContent = hasMaps(explanation) ? pointing : HINTS.none;
    const focused = [...words.children].findIndex((item) => item.contains(document.activeElement));
    words.replaceChildren(...explanation.words.map((word) => explainedWord(word, explanation)));
    words.children[focused]?.firstElementChild.focus();
  } catch (error) {
    if (signal.aborted) return;
    hint.textContent = "";
    find("problem").textContent = error.message;
  }
  words.removeAttribute("aria-busy");
}

/** A word, with room for its probability. */
function wordButton(word, probability = "–") {
  const [item, button, text] = ["li", "button", "small"].map((tag) => document.createElement(tag));
  button.type = "button";
  text.textContent = probability;
  button.append(word, text);
  item.append(button);
  return { item, button };
}

function explainedWord(explained, explanation) {
  const probability = percent(explained.probability);
  const { item, button } = wordButton(explained.word, probability);
  button.style.setProperty("--probability", `${100 * explained.probability}%`);
  button.setAttribute("aria-label", `${explained.word}, ${probability}${describePlace(explained, explanation)}`);
  const warm = () => {
    if (hasMaps(explanation)) showHeat(explained, explanation);
    hint.textContent = `“${explained.word}”: probability ${probability}${describePlace(explained, explanation)}.`;
  };
  button.addEventListener("pointerenter", warm);
  button.addEventListener("focus", warm);
  button.addEventListener("click", warm);
  button.addEventListener("pointerleave", () => document.activeElement === button || hideHeat());
  button.addEventListener("blur", hideHeat);
  return item;
}

function describePlace(explained, explanation) {
  if (!hasMaps(explanation)) return "";
  const part = warmestPart(explained, explanation);
  return part === undefined
    ? ", no heat in the image"
    : `, hottest in the ${part} of the image, strength ${explained.strength.toFixed(2)}`;
}

function percent(fraction) {
  return fraction >= 0.1 ? `${Math.round(100 * fraction)}%` : `${(100 * fraction).toPrecision(2)}%`;
}

shownImage.addEventListener("load", () => {
  const { naturalWidth, naturalHeight, parentElement } = shownImage;
  parentElement.style.setProperty("--aspect", String(naturalWidth / naturalHeight));
});
find("copy").addEventListener("click", ({ currentTarget }) => copy(chosen.caption, currentTarget));
