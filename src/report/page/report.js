// Renders the report in the browser. Text from outside enters the page as text only.
"use strict";
(() => {
  const runs = JSON.parse(document.getElementById("data").textContent);
  const COLORS = ["#2f6fd0", "#d0622f", "#2f9e6b", "#9a4fc4", "#b58a00", "#c43f6f"];
  const SHADE = "80";
  const STEPS = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1e3, 1e4, 1e5].map((ten) => digit * ten)).sort((a, b) =>
    a - b
  );

  const CURVES = [
    ["Loss per token, nats", [["training", "trainLoss"], ["validation", "validationLoss"]]],
    ["Validation CIDEr", [["CIDEr", "cider"]], 0.1],
    ["Validation BLEU-4", [["BLEU-4", "bleu4"]], 0.1],
    ["Mismatched-image gap: near 0, images are ignored", [["gap, nats", "mismatchedImageLossGap"]], 0.1],
    ["Distinct captions", [["fraction", "distinctFraction"]], 0.1],
    ["Learning rate", [["CNN", "encoderLearningRate"], ["decoder", "learningRate"]]],
    ["Seconds per epoch", [["total", "seconds"], ["validation", "validationSeconds"]]],
  ];

  function element(name, text, attributes) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return Object.assign(made, attributes);
  }

  function row(cells, name) {
    const made = element("tr");
    made.append(...cells.map((cell) => element(name || "td", cell)));
    return made;
  }

  function number(value, digits) {
    return value === null || value === undefined ? "–" : value.toFixed(digits);
  }

  function duration(seconds) {
    if (seconds < 60) return `${Math.round(seconds)} s`;
    const minutes = Math.round(seconds / 60);
    return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }

  function sum(values) {
    return values.reduce((total, value) => total + (value ?? 0), 0);
  }

  function drawScores() {
    const head = element("thead");
    const columns = ["run", "epochs", "steps", "best epoch", "CIDEr", "BLEU-4", "validation loss", "image gap"];
    columns.push("distinct captions", "time");
    head.append(row(columns, "th"));
    const body = element("tbody");
    for (const { name, epochs, steps } of runs) {
      const best = epochs.reduce((a, b) => a && (a.cider ?? -1) >= (b.cider ?? -1) ? a : b, undefined);
      const time = duration(sum(epochs.map(({ seconds }) => seconds)));
      const scores = best === undefined ? ["–", "–", "–", "–", "–", "–"] : [
        ...[String(best.epoch), number(best.cider, 3), number(best.bleu4, 3), number(best.validationLoss, 3)],
        ...[number(best.mismatchedImageLossGap, 2), percent(best.distinctFraction)],
      ];
      const made = row([name, String(epochs.length), String(steps.at(-1)?.step ?? "–"), ...scores, time]);
      for (const [index, cell] of [...made.cells].entries()) cell.dataset.label = columns[index];
      body.append(made);
    }
    document.getElementById("scores").append(head, body);
    const epochs = runs.map((run) => run.epochs.length);
    const done = Math.max(...epochs) === 0
      ? "No epoch is complete yet"
      : `${epochs.join(" + ")} ${epochs.length === 1 && epochs[0] === 1 ? "epoch" : "epochs"}`;
    const [only, ...others] = runs;
    const started = others.length === 0 && only.started !== "" ? `, started ${date(only.started)}` : "";
    document.getElementById("state").textContent = `${done}${started}.`;
  }

  /** What training said about the data, the model and problems. */
  function drawNotes() {
    const about = document.getElementById("about");
    for (const { name, started, lines } of runs) {
      const notes = lines.filter(({ warning, epochs }) => !warning && epochs === 0).map(({ line }) =>
        element("li", line)
      );
      const warnings = lines.filter(({ warning }) => warning).map(({ line, epochs }) =>
        element("li", epochs === 0 ? line : `After epoch ${epochs}: ${line}`)
      );
      if (notes.length + warnings.length === 0) continue;
      if (runs.length > 1) about.append(element("h3", started === "" ? name : `${name}, started ${date(started)}`));
      about.append(listOf(notes, "notes"), listOf(warnings, "warnings"));
    }
  }

  function listOf(items, className) {
    const made = element("ul", undefined, { className, hidden: items.length === 0 });
    made.append(...items);
    return made;
  }

  function date(text) {
    return new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }

  function percent(fraction) {
    return fraction === null || fraction === undefined ? "–" : `${(100 * fraction).toFixed(0)}%`;
  }

  /** uPlot rounds to three decimals, which hides small learning rates. */
  function plain(tick) {
    return String(Number(tick.toPrecision(6)));
  }

  /** @param least If given, the axis begins at 0 and reaches at least this value. */
  function drawCurve(title, lines, least) {
    const last = Math.max(0, ...runs.flatMap(({ epochs }) => epochs.map(({ epoch }) => epoch)));
    const x = Array.from({ length: last }, (_, index) => index + 1);
    const series = [];
    const data = [];
    for (const [index, run] of runs.entries()) {
      for (const [at, [label, key]] of lines.entries()) {
        const of = new Map(run.epochs.map((epoch) => [epoch.epoch, epoch[key]]));
        const values = x.map((epoch) => of.get(epoch) ?? null);
        if (values.every((value) => value === null)) continue;
        const color = COLORS[(runs.length > 1 ? index : at) % COLORS.length];
        const stroke = at > 0 && runs.length > 1 ? color + SHADE : color;
        series.push(line(runs.length > 1 ? `${run.name} ${label}` : label, stroke));
        data.push(values);
      }
    }
    plot(title, { x, name: "epoch", series, data, least, dots: last < 30 });
  }

  function drawSteps() {
    const x = [...new Set(runs.flatMap(({ steps }) => steps.map(({ step }) => step)))].sort((a, b) => a - b);
    const shown = runs.filter(({ steps }) => steps.length > 1);
    const data = shown.map(({ steps }) => {
      const of = new Map(steps.map(({ step, loss }) => [step, loss]));
      return x.map((step) => of.get(step));
    });
    const series = shown.map((run) =>
      line(runs.length > 1 ? run.name : "training", COLORS[runs.indexOf(run) % COLORS.length])
    );
    plot("Training loss by step", { x, name: "step", series, data });
  }

  function line(label, stroke) {
    const value = (_, value) => value === null || value === undefined ? "–" : Number(value.toPrecision(4)).toString();
    return { label, stroke, width: 2, value };
  }

  function plot(title, { x, name, series, data, least, dots = false }) {
    if (series.length === 0) return;
    const box = element("div", undefined, { className: "curve" });
    box.append(element("h3", title));
    document.getElementById("curves").append(box);
    const style = getComputedStyle(document.documentElement);
    const axis = {
      stroke: style.getPropertyValue("--quiet"),
      grid: { stroke: style.getPropertyValue("--line") },
      ticks: { stroke: style.getPropertyValue("--line") },
    };
    const width = () => box.clientWidth - 24;
    const fromZero = (_, low, high) => [Math.min(0, low ?? 0), Math.max(least, 1.05 * (high ?? 0))];
    const chart = new uPlot(
      {
        width: width(),
        height: 220,
        scales: { x: { time: false }, ...(least !== undefined && { y: { range: fromZero } }) },
        axes: [{ ...axis, incrs: STEPS }, {
          ...axis,
          size: 64,
          values: (_, ticks) => ticks.map(plain),
        }],
        series: [{ label: name }, ...series.map((one) => ({ ...one, points: { show: dots } }))],
      },
      [x, ...data],
      box,
    );
    new ResizeObserver(() => chart.setSize({ width: width(), height: 220 })).observe(box);
  }

  const ORDERS = {
    worst: (a, b) => a.cider - b.cider,
    best: (a, b) => b.cider - a.cider,
    name: (a, b) => a.name < b.name ? -1 : 1,
  };

  function drawGallery() {
    const items = runs.flatMap((run) => run.gallery.map((item) => ({ ...item, run: run.name })));
    if (items.length === 0) return document.getElementById("gallery-section").remove();
    const order = document.getElementById("order");
    const draw = () => {
      const figures = items.toSorted(ORDERS[order.value]).map((item) => {
        const figure = element("figure");
        const caption = element("figcaption");
        caption.append(element("strong", item.caption));
        const from = runs.length > 1 ? `${item.run} · ` : "";
        caption.append(element("small", `${from}CIDEr ${item.cider.toFixed(2)} · ${item.name}`));
        const [first, ...others] = item.references;
        if (first !== undefined) caption.append(element("p", `Reference: ${first}`, { className: "reference" }));
        if (others.length > 0) caption.append(list(`${others.length} more`, others));
        caption.append(list("Top candidates", item.best.map(candidate)));
        figure.append(element("img", undefined, { src: item.image, alt: item.caption }), caption);
        return figure;
      });
      document.getElementById("gallery").replaceChildren(...figures);
    };
    order.addEventListener("change", draw);
    draw();
  }

  function candidate({ caption, probability }) {
    return `${probability.toPrecision(2)}  ${caption}`;
  }

  function list(title, lines) {
    const details = element("details");
    const items = element("ul");
    items.append(...lines.map((line) => element("li", line)));
    details.append(element("summary", title), items);
    return details;
  }

  function drawSettings() {
    const names = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
    const head = element("thead");
    head.append(row(["", ...runs.map(({ name }) => name)], "th"));
    const body = element("tbody");
    for (const name of names) {
      const values = runs.map(({ settings }) => settings[name] ?? "");
      const made = row([name, ...values]);
      if (new Set(values).size > 1) made.className = "differs";
      body.append(made);
    }
    document.getElementById("settings-count").textContent = `${names.length} settings`;
    document.getElementById("settings").append(...(runs.length > 1 ? [head] : []), body);
  }

  drawScores();
  drawNotes();
  const [[loss, losses], ...scores] = CURVES;
  drawCurve(loss, losses);
  drawSteps();
  for (const [title, lines, least] of scores) drawCurve(title, lines, least);
  drawGallery();
  drawSettings();
})();
