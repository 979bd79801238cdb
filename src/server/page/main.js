// Navigation, and the ways that images enter the page.

import { ask, request } from "./api.js";
import { startCamera } from "./camera.js";
import { addFiles, captionAgain, restoreImages } from "./captions.js";
import { startRun } from "./run.js";
import { startSearch } from "./search.js";
import { startSettings } from "./settings.js";

const PARTS = ["captions", "search", "run"];
const drop = document.getElementById("drop");
const problem = document.getElementById("problem");
const fail = (text) => problem.textContent = text;
const linkOf = (part) => document.querySelector(`nav a[href="#${part}"]`);

function showPart() {
  const named = location.hash.slice(1);
  const shown = PARTS.includes(named) && !linkOf(named).hidden ? named : "captions";
  for (const part of PARTS) {
    document.getElementById(part).hidden = part !== shown;
    if (part === shown) linkOf(part).setAttribute("aria-current", "page");
    else linkOf(part).removeAttribute("aria-current");
  }
}

function take(files) {
  problem.textContent = "";
  location.hash = "captions";
  addFiles(files);
}

function takeDropped(event) {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files.length > 0) take(event.dataTransfer.files);
  else fail("The dropped item is not a file; save the image first, or paste it");
}

function describe({ name, epoch, cider }) {
  return [
    ...(name === null ? [] : [name]),
    ...(epoch === null ? [] : [`epoch ${epoch}`]),
    ...(cider === null ? [] : [`CIDEr ${cider.toFixed(3)} on validation`]),
  ].join(", ");
}

/** Takes an example as if it were dropped. */
async function takeExample(image) {
  try {
    const response = await request(image.src);
    take([new File([await response.blob()], image.src.split("/").at(-1))]);
  } catch ({ message }) {
    fail(message);
  }
}

async function start() {
  const model = await ask("/api/model");
  document.getElementById("model").textContent = describe(model);
  document.getElementById("warning").textContent = model.warning ?? "";
  startSettings(model, captionAgain);
  if (model.search !== null) {
    linkOf("search").hidden = false;
    startSearch(model.search, (file) => take([file]));
  }
  linkOf("run").hidden = model.run === null;
  showPart();
  if (model.run !== null) startRun();
  await restoreImages();
}

document.getElementById("files").addEventListener("change", ({ target }) => {
  take(target.files);
  target.value = "";
});
for (const button of document.querySelectorAll("#examples button")) {
  button.addEventListener("click", () => takeExample(button.firstElementChild));
}
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", ({ relatedTarget }) => relatedTarget ?? drop.classList.remove("over"));
addEventListener("drop", takeDropped);
addEventListener("paste", ({ clipboardData }) => {
  if (clipboardData.files.length > 0) take(clipboardData.files);
});
addEventListener("hashchange", showPart);
startCamera((file) => take([file]), fail);
start().catch(({ message }) => fail(message));
