// The training run.

import { ask } from "./api.js";

const POLL_MS = 5000;
const frame = document.querySelector("#run iframe");
const status = document.getElementById("epoch");
let shown;

/** Shows the run's report and reloads it after each epoch, while its section is visible. */
export function startRun() {
  frame.addEventListener("load", () => {
    const page = frame.contentDocument?.documentElement;
    if (page === undefined || page === null) return;
    // This page has its margins and its paper.
    Object.assign(page.querySelector("body").style, { maxWidth: "none", padding: "0 0 1rem", background: "none" });
    new ResizeObserver(() => frame.style.height = `${page.offsetHeight + 8}px`).observe(page);
  });
  poll();
  setInterval(poll, POLL_MS);
  addEventListener("hashchange", poll);
}

async function poll() {
  if (document.getElementById("run").hidden || document.hidden) return;
  try {
    const { name, epochs } = await ask("/api/run");
    const last = epochs.at(-1);
    // The report says the same to those who see it.
    status.classList.toggle("unseen", last !== undefined);
    status.textContent = last === undefined
      ? `${name}: the first epoch is not complete yet`
      : `${name}: ${describe(last)}`;
    if (shown === epochs.length) return;
    shown = epochs.length;
    frame.src = "/run";
  } catch (error) {
    status.classList.remove("unseen");
    status.textContent = error.message;
  }
}

function describe({ epoch, trainLoss, validationLoss, cider }) {
  const parts = [["training loss", trainLoss], ["validation loss", validationLoss], ["CIDEr", cider]]
    .filter(([, value]) => typeof value === "number").map(([name, value]) => `${name} ${value.toFixed(3)}`);
  return `epoch ${epoch}, ${parts.join(", ")}`;
}
