// Search of the folder by sentences.

import { ask, request } from "./api.js";

const [form, results, status] = ["#search form", "#results", "#found"].map((name) => document.querySelector(name));
const POLL_MS = 1000;
let asking = new AbortController();

/** Starts the search; `open` gets an image to caption. */
export function startSearch({ done, total }, open) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search(document.getElementById("query").value, open);
  });
  if (done < total) wait();
  else status.textContent = `${total} images`;
}

/** Shows the progress of indexing. */
async function wait() {
  try {
    const { search: { done, total } } = await ask("/api/model");
    if (results.childElementCount === 0) {
      status.textContent = done < total ? `${done} of ${total} images indexed` : `${total} images`;
    }
    if (done < total) setTimeout(wait, POLL_MS);
  } catch (error) {
    status.textContent = error.message;
  }
}

async function search(query, open) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  status.textContent = "Searching…";
  try {
    const { images, allWordsKnown } = await ask(`/api/search?${new URLSearchParams({ query })}`, { signal });
    results.replaceChildren(...images.map((image) => found(image, open)));
    const unknown = allWordsKnown ? "" : " Some words are not in the model's vocabulary.";
    status.textContent = `The ${images.length} best matches.${unknown}`;
  } catch (error) {
    if (!signal.aborted) status.textContent = error.message;
  }
}

function found({ name, caption, url }, open) {
  const [item, button, image, text] = ["li", "button", "img", "p"].map((tag) => document.createElement(tag));
  Object.assign(image, { src: url, alt: caption, loading: "lazy" });
  button.type = "button";
  button.title = name;
  button.append(image);
  button.addEventListener("click", async () => {
    try {
      const response = await request(url);
      open(new File([await response.blob()], name));
    } catch (error) {
      status.textContent = error.message;
    }
  });
  text.textContent = caption;
  item.append(button, text);
  return item;
}
