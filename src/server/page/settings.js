// The controls of how captions are written.

const form = document.getElementById("settings");
const again = document.getElementById("again");
const { beamSize, temperature, lengthPenalty, maxLength } = form.elements;
/** Captions of an image. */
const SHOWN = 5;
let seed = 0;

/** What the controls say, as the API takes it. */
export function readSettings() {
  const drawing = temperature.valueAsNumber > 0;
  // Not all models take one.
  const length = lengthPenalty.valueAsNumber > 0 ? { lengthPenalty: lengthPenalty.value } : {};
  return {
    maxLength: maxLength.value,
    ...(drawing
      ? { temperature: temperature.value, seed, nBest: SHOWN }
      // No more than are pursued: more would widen the search.
      : { beamSize: beamSize.value, ...length, nBest: Math.min(SHOWN, beamSize.valueAsNumber) }),
  };
}

/** Sets the controls to the model's own values, and tells of changes. */
export function startSettings(model, changed) {
  // What a form is reset to.
  for (const [input, value] of [[beamSize, model.beamSize], [maxLength, model.maxLength]]) {
    input.max = Math.max(input.max, value);
    input.defaultValue = value;
  }
  form.reset();
  update();
  form.addEventListener("input", update);
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () =>
    setTimeout(() => {
      update();
      changed();
    }));
  again.addEventListener("click", () => {
    seed++;
    changed();
  });
}

function update() {
  const drawing = temperature.valueAsNumber > 0;
  for (const input of [beamSize, lengthPenalty]) input.disabled = drawing;
  again.hidden = !drawing;
  for (const input of [beamSize, temperature, lengthPenalty, maxLength]) {
    input.parentElement.querySelector("output").textContent = input.value;
  }
}
