// Renders the report in the browser. Text from outside enters the page as text only.
"use strict";
(() => {
  const runs = JSON.parse(document.getElementById("data").textContent);
  const COLORS = ["#2f6fd0", "#d0622f", "#2f9e6b", "#9a4fc4", "#b58a00", "#c43f6f"];
  const SHADE = "80";

  const CURVES = [
    ["Loss per token, nats", [["training", "trainLoss"], ["validation", "validationLoss"]]],
    ["Validation CIDEr", [["CIDEr", "cider"]]],
    ["Validation BLEU-4", [["BLEU-4", "bleu4"]]],
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
    const minutes = Math.round(seconds / 60);
    return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }

  function sum(values) {
    return values.reduce((total, value) => total + (value ?? 0), 0);
  }

  function drawScores() {
    const head = element("thead");
    head.append(row(["run", "epochs", "best epoch", "CIDEr", "BLEU-4", "validation loss", "time"], "th"));
    const body = element("tbody");
    for (const { name, epochs } of runs) {
      const best = epochs.reduce((a, b) => a && (a.cider ?? -1) >= (b.cider ?? -1) ? a : b, undefined);
      const time = duration(sum(epochs.map(({ seconds }) => seconds)));
      const scores = best === undefined
        ? ["–", "–", "–", "–"]
        : [String(best.epoch), number(best.cider, 3), number(best.bleu4, 3), number(best.validationLoss, 3)];
      body.append(row([name, String(epochs.length), ...scores, time]));
    }
    document.getElementById("scores").append(head, body);
    const epochs = runs.map((run) => run.epochs.length);
    document.getElementById("state").textContent = Math.max(...epochs) === 0
      ? "No epoch is complete yet."
      : `${epochs.join(" + ")} ${epochs.length === 1 && epochs[0] === 1 ? "epoch" : "epochs"}.`;
  }

  /** uPlot rounds to three decimals, which hides small learning rates. */
  function plain(tick) {
    return String(Number(tick.toPrecision(6)));
  }

  function drawCurve(title, lines) {
    const last = Math.max(0, ...runs.flatMap(({ epochs }) => epochs.map(({ epoch }) => epoch)));
    const x = Array.from({ length: last }, (_, index) => index + 1);
    const series = [{ label: "epoch" }];
    const data = [x];
    for (const [index, run] of runs.entries()) {
      for (const [at, [label, key]] of lines.entries()) {
        const of = new Map(run.epochs.map((epoch) => [epoch.epoch, epoch[key]]));
        const values = x.map((epoch) => of.get(epoch) ?? null);
        if (values.every((value) => value === null)) continue;
        const color = COLORS[(runs.length > 1 ? index : at) % COLORS.length];
        series.push({
          label: runs.length > 1 ? `${run.name} ${label}` : label,
          stroke: at > 0 && runs.length > 1 ? color + SHADE : color,
          width: 2,
          points: { show: last < 30 },
          value: (_, value) => value === null ? "–" : Number(value.toPrecision(4)).toString(),
        });
        data.push(values);
      }
    }
    if (series.length === 1) return;
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
    const chart = new uPlot(
      {
        width: width(),
        height: 220,
        scales: { x: { time: false } },
        axes: [{ ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] }, {
          ...axis,
          size: 64,
          values: (_, ticks) => ticks.map(plain),
        }],
        series,
      },
      data,
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
        caption.append(list("References", item.references), list("Top candidates", item.best.map(candidate)));
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
    document.getElementById("settings").append(...(runs.length > 1 ? [head] : []), body);
  }

  drawScores();
  for (const [title, lines] of CURVES) drawCurve(title, lines);
  drawGallery();
  drawSettings();
})();
