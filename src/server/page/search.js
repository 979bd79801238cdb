// Search of the folder by sentences.

import { ask, request } from "./api.js";

const [form, results, status, more] = ["#search form", "#results", "#found", "#more"]
  .map((name) => document.querySelector(name));
const POLL_MS = 1000;
/** Results on a page, and at most. */
const PAGE = 12;
const MOST = 100;
let asking = new AbortController();
let total = 0;
let asked = { query: "", top: PAGE };

/** Starts the search; `open` gets an image to caption. */
export function startSearch(index, open) {
  total = index.total;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    asked = { query: document.getElementById("query").value, top: PAGE };
    search(open);
  });
  more.addEventListener("click", () => {
    asked.top = Math.min(MOST, asked.top + PAGE);
    search(open);
  });
  if (index.done < total) wait();
  else status.textContent = describeFolder();
}

function describeFolder() {
  return total === 1 ? "1 image" : `${total} images`;
}

/** Shows the progress of indexing. */
async function wait() {
  try {
    const { search: { done } } = await ask("/api/model");
    if (results.childElementCount === 0) {
      status.textContent = done < total ? `${done} of ${total} images indexed` : describeFolder();
    }
    if (done < total) setTimeout(wait, POLL_MS);
  } catch (error) {
    status.textContent = error.message;
  }
}

async function search(open) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  status.textContent = "Searching…";
  try {
    const { images, unknownWords } = await ask(`/api/search?${new URLSearchParams(asked)}`, { signal });
    // Those shown stay, so that the page does not jump.
    const shown = new Map([...results.children].map((item) => [item.dataset.id, item]));
    results.replaceChildren(...images.map((image) => shown.get(String(image.id)) ?? found(image, open)));
    for (const [index, { probability }] of images.entries()) {
      results.children[index].querySelector("small").textContent = `${(100 * probability).toPrecision(2)}%`;
    }
    more.hidden = images.length < asked.top || asked.top >= Math.min(MOST, total);
    status.textContent = describe(images.length, unknownWords);
  } catch (error) {
    if (!signal.aborted) status.textContent = error.message;
  }
}

function describe(count, unknownWords) {
  const unknown = unknownWords.map((word) => `“${word}”`).join(", ");
  const ignored = unknown === "" ? "" : `The model does not know ${unknown}.`;
  if (count === 0) return `${ignored} Nothing to search for: use words of its training captions.`.trim();
  const best = count === 1 ? "The best match" : `The ${count} best matches`;
  return `${best} of ${total}, with the mean probability of a word of your sentence. ${ignored}`.trim();
}

function found({ id, name, caption, url }, open) {
  const [item, button, image, title, score, text] = ["li", "button", "img", "p", "small", "p"]
    .map((tag) => document.createElement(tag));
  item.dataset.id = id;
  Object.assign(image, { src: url, alt: caption, loading: "lazy" });
  button.type = "button";
  button.append(image);
  button.addEventListener("click", async () => {
    try {
      const response = await request(url);
      open(new File([await response.blob()], name.split("/").at(-1)));
    } catch (error) {
      status.textContent = error.message;
    }
  });
  title.className = "name";
  const label = document.createElement("span");
  label.textContent = label.title = name;
  title.append(label, score);
  text.textContent = caption;
  item.append(button, title, text);
  return item;
}
