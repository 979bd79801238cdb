// The decoding settings.

const form = document.getElementById("settings");
const again = document.getElementById("again");
const { beamSize, temperature, lengthPenalty, maxLength } = form.elements;
/** Captions of an image. */
const SHOWN = 5;
let seed = 0;

/** The settings as query parameters. */
export function readSettings() {
  const sampling = temperature.valueAsNumber > 0;
  // Not all models support it.
  const length = lengthPenalty.value === lengthPenalty.defaultValue ? {} : { lengthPenalty: lengthPenalty.value };
  return {
    maxLength: maxLength.value,
    ...(sampling
      ? { temperature: temperature.value, seed, nBest: SHOWN }
      // At most the beam size: more would widen the search.
      : { beamSize: beamSize.value, ...length, nBest: Math.min(SHOWN, beamSize.valueAsNumber) }),
  };
}

/** Sets the controls to the model's defaults, and calls `changed` on changes. */
export function startSettings(model, changed) {
  // The values that the form is reset to.
  const defaults = [[beamSize, model.beamSize], [lengthPenalty, model.lengthPenalty], [maxLength, model.maxLength]];
  for (const [input, value] of defaults) {
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
  const sampling = temperature.valueAsNumber > 0;
  for (const input of [beamSize, lengthPenalty]) input.disabled = sampling;
  again.hidden = !sampling;
  for (const input of [beamSize, temperature, lengthPenalty, maxLength]) {
    input.parentElement.querySelector("output").textContent = input.value;
  }
}
