// Walks through a folder: the model proposes captions, a person decides.

import { ask } from "./api.js";

const find = (id) => document.getElementById(id);
const [field, photo, list] = [find("text"), find("photo"), find("proposals")];
const POLL_MS = 5000;
/** Decisions that can be undone, kept over a reload. */
const MOST_UNDONE = 200;
const HISTORY = "decisions";
/** The command that trains on the labels that the decisions are in. */
const HISTORY_OF = "decisions-of";
/** Captions of which a tenth is a validation set that says something. */
const ENOUGH = 200;

/** Images by name: name, caption, source, probability, problem. */
let images = new Map();
/** Names in the folder's order. */
let names = [];
let shown;
/** The caption that the shown image had when it was shown: only that may be replaced unasked. */
let seen = null;
let proposals = [];
/** Whether the text in the field was begun by the person. */
let own = false;
let asking = new AbortController();
/** Whether the server did not answer when it was last asked. */
let isUnreachable = false;
/** Whether a decision is being written: a second press of a key must not decide on the next image. */
let writing = false;
const skipped = new Set();
/** Names of the images shown before. */
const visited = [];
const history = JSON.parse(sessionStorage.getItem(HISTORY) ?? "[]");

async function refresh() {
  const answer = await ask("/api/labels");
  names = answer.images.map(({ name }) => name);
  images = new Map(answer.images.map((image) => [image.name, image]));
  describe(answer);
  return answer;
}

function describe({ model, command, proposed }) {
  find("model").textContent = [
    model.name,
    ...(model.epoch === null ? [] : [`epoch ${model.epoch}`]),
    ...(model.cider === null ? [] : [`CIDEr ${model.cider.toFixed(3)} on validation`]),
  ].join(", ");
  find("warning").textContent = model.warning ?? "";
  find("command").textContent = command;
  if (sessionStorage.getItem(HISTORY_OF) !== command) {
    // Decisions about another folder are not undone in this one.
    history.length = 0;
    sessionStorage.removeItem(HISTORY);
    sessionStorage.setItem(HISTORY_OF, command);
  }
  find("order").title = proposed < names.length ? `The model has captioned ${proposed} of ${names.length} images` : "";
  showProgress();
}

function showProgress() {
  const labeled = [...images.values()].filter(({ caption }) => caption !== null);
  find("count").textContent = `${labeled.length} of ${names.length} captioned`;
  const bar = document.querySelector("progress");
  Object.assign(bar, { value: labeled.length, max: Math.max(1, names.length) });
  const count = (source) => labeled.filter((image) => image.source === source).length;
  const parts = ["accepted", "edited", "typed"].map((source) => `${count(source)} ${source}`);
  const few = labeled.length < ENOUGH
    ? ` Training puts a tenth of them aside to choose the best epoch by; with fewer than ${ENOUGH} captions, chance chooses it.`
    : "";
  find("sources").textContent = labeled.length === 0 ? "" : `So far: ${parts.join(", ")}.${few}`;
  find("undo").disabled = history.length === 0;
}

/** The names that the filter lets through, in the chosen order; last, those skipped and those that cannot be captioned. */
function queue() {
  const isWanted = {
    unlabeled: ({ caption }) => caption === null,
    labeled: ({ caption }) => caption !== null,
    all: () => true,
  }[find("filter").value];
  const wanted = names.filter((name) => isWanted(images.get(name)));
  if (find("order").value === "probability") {
    // Images without a probability yet come last.
    const probability = (name) => images.get(name).probability ?? 2;
    wanted.sort((a, b) => probability(a) - probability(b));
  }
  const isLate = (name) => Number(skipped.has(name) || images.get(name).problem !== null);
  return wanted.sort((a, b) => isLate(a) - isLate(b));
}

/** Shows the image after the present one, or the first. */
function next() {
  const wanted = queue();
  const isUnlabeled = find("filter").value === "unlabeled";
  const others = wanted.filter((name) => name !== shown);
  // Of those without a caption the first is always the next; others are walked through.
  const following = isUnlabeled ? others[0] : wanted[wanted.indexOf(shown) + 1];
  show(following ?? (isUnlabeled ? wanted[0] : undefined));
}

function show(name, { remember = true } = {}) {
  asking.abort();
  if (remember && shown !== undefined && shown !== name) visited.push(shown);
  shown = name;
  find("work").hidden = name === undefined;
  find("end").hidden = name !== undefined;
  find("back").disabled = visited.length === 0;
  if (name === undefined) {
    find("end").textContent = {
      unlabeled: "Each image has a caption.",
      labeled: "No more images have a caption.",
      all: "These were all images.",
    }[find("filter").value];
    return;
  }
  const { caption, source, problem } = images.get(name);
  seen = caption;
  own = false;
  photo.src = `/api/image?${new URLSearchParams({ name })}`;
  find("name").textContent = name;
  find("place").textContent = skipped.has(name) ? "skipped before" : "";
  find("remove-caption").hidden = caption === null;
  find("text-label").textContent = caption === null
    ? "Correct it, or write your own"
    : `Its caption${source === "" ? "" : `, ${source}`}`;
  field.value = caption ?? "";
  field.blur();
  propose(name, problem);
}

async function propose(name, problem) {
  asking = new AbortController();
  const { signal } = asking;
  proposals = [];
  list.replaceChildren(note(problem ?? "…"));
  if (problem !== null) return;
  try {
    ({ proposals } = await ask(`/api/proposals?${new URLSearchParams({ name })}`, { signal }));
    if (signal.aborted) return;
    list.replaceChildren(...proposals.map(proposalItem));
    if (field.value === "" && document.activeElement !== field) field.value = proposals[0].caption;
  } catch (error) {
    if (!signal.aborted) list.replaceChildren(note(error.message));
  }
}

function note(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}

function proposalItem({ caption, probability }, index) {
  const [item, button, key, text, small] = ["li", "button", "kbd", "span", "small"]
    .map((tag) => document.createElement(tag));
  button.type = "button";
  key.textContent = index === 0 ? "Enter" : index + 1;
  text.textContent = caption;
  small.textContent = `${Math.round(100 * probability)}%`;
  small.title = "Mean probability of its words";
  button.setAttribute("aria-pressed", String(caption === images.get(shown).caption));
  button.append(key, text, small);
  button.addEventListener("click", () => accept(index));
  item.append(button);
  return item;
}

function accept(index) {
  const proposal = proposals[index];
  if (proposal !== undefined) decide({ caption: proposal.caption, source: "accepted" });
}

/** Saves the text of the field. */
function saveOwn() {
  const caption = field.value.replaceAll(/\s+/g, " ").trim();
  const now = images.get(shown);
  if (caption === "") find("problem").textContent = "Write a caption, or skip the image";
  else if (caption === now.caption) next();
  else if (proposals.some((proposal) => proposal.caption === caption)) decide({ caption, source: "accepted" });
  else decide({ caption, source: own ? "typed" : "edited" });
}

/** Writes a decision, and goes on once it is in the file. */
async function decide(label) {
  const { name, source } = images.get(shown);
  const previous = seen === null ? null : { caption: seen, source };
  if (await write({ image: name, label, before: seen }) !== undefined) return;
  history.push({ image: name, label: previous, written: label?.caption ?? null });
  history.splice(0, history.length - MOST_UNDONE);
  sessionStorage.setItem(HISTORY, JSON.stringify(history));
  skipped.delete(name);
  showProgress();
  next();
}

/** Writes a change; returns the error's status, 0 if there is none, if it is not in the file. */
async function write(change) {
  if (writing) return 0;
  const { image, label } = change;
  writing = true;
  find("problem").textContent = "";
  try {
    const headers = { "content-type": "application/json" };
    images.set(image, await ask("/api/labels", { method: "POST", headers, body: JSON.stringify(change) }));
    find("said").textContent = label === null ? `${image}: caption removed` : `${image}: ${label.caption}`;
    return undefined;
  } catch (error) {
    find("problem").textContent = `${image}: ${error.message}`;
    if (error.status === 409) await takeOver();
    return error.status ?? 0;
  } finally {
    writing = false;
  }
}

/** Shows what another tab decided on the shown image; what a person has in the field stays. */
async function takeOver() {
  const [mine, wasOwn, isFocused] = [field.value, own, document.activeElement === field];
  await refresh();
  if (shown === undefined || images.get(shown).caption === seen) return;
  show(shown);
  if (!isFocused) return;
  field.value = mine;
  field.focus();
  own = wasOwn;
}

async function undo() {
  const last = history.at(-1);
  if (last === undefined) return;
  const status = await write({ image: last.image, label: last.label, before: last.written });
  // It cannot be undone any more if somebody else has changed it, or the image is gone.
  if (![undefined, 404, 409].includes(status)) return;
  history.pop();
  sessionStorage.setItem(HISTORY, JSON.stringify(history));
  showProgress();
  if (images.has(last.image)) show(last.image);
}

function skip() {
  if (shown === undefined) return;
  skipped.add(shown);
  next();
}

function back() {
  const name = visited.pop();
  if (name !== undefined && images.has(name)) show(name, { remember: false });
}

for (const event of ["focus", "input"]) field.addEventListener(event, () => own ||= field.value === "");
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    saveOwn();
  } else if (event.key === "Escape") {
    field.value = images.get(shown).caption ?? proposals[0]?.caption ?? "";
    own = false;
    field.blur();
  }
});
find("own").addEventListener("submit", (event) => {
  event.preventDefault();
  saveOwn();
});
addEventListener("keydown", (event) => {
  const { key, target, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (/^(?:TEXTAREA|SELECT)$/.test(target.tagName) || altKey || event.repeat) return;
  if ((ctrlKey || metaKey) && key === "z") return void undo();
  if (ctrlKey || metaKey || shown === undefined) return;
  if (key === "Enter" && target.tagName !== "BUTTON") accept(0);
  else if (/^[1-9]$/.test(key)) accept(Number(key) - 1);
  else if (key === "ArrowRight") skip();
  else if (key === "ArrowLeft") back();
  else if (key === "Tab" && !shiftKey && target === document.body) field.focus();
  else if (/^\p{L}$/u.test(key)) {
    field.value = "";
    field.focus(); // which takes the letter
    return;
  } else return;
  event.preventDefault();
});
const buttons = { skip, back, undo, "remove-caption": () => decide(null) };
for (const [id, press] of Object.entries(buttons)) {
  find(id).addEventListener("click", ({ currentTarget, detail }) => {
    if (detail > 0) currentTarget.blur(); // so that Enter takes a proposal after a click
    press();
  });
}
for (const id of ["filter", "order"]) {
  find(id).addEventListener("change", ({ target }) => {
    target.blur();
    show(queue()[0]);
  });
}
photo.addEventListener("error", () => find("place").textContent = "This browser cannot show the image");
find("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(find("command").textContent);
    find("copy").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(find("command"));
  }
});

/** Learns what other tabs decided, and the probabilities of images that are captioned by now. */
async function poll() {
  if (document.hidden || writing) return;
  try {
    await takeOver();
    if (isUnreachable) find("problem").textContent = "";
    isUnreachable = false;
    if (shown === undefined && queue().length > 0) show(queue()[0]);
  } catch (error) {
    isUnreachable = true;
    find("problem").textContent = error.message;
  }
}
addEventListener("visibilitychange", poll);
setInterval(poll, POLL_MS);
refresh().then(() => show(queue()[0]), (error) => find("problem").textContent = error.message);
