import chartScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import chartStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import pageScript from "./page/report.js" with { type: "text" };
import pageStyle from "./page/report.css" with { type: "text" };
import type { ReportedRun } from "./reported_run.ts";

/**
 * Renders the report of one or several runs as a single HTML file.
 *
 * @returns HTML that loads no other file, and whose policy lets a browser run its own scripts only, whatever a caption or
 * a name contains.
 */
export async function reportPage(runs: readonly ReportedRun[]): Promise<string> {
  const title = runs.length === 1 ? `Run ${runs[0]?.name}` : `${runs.length} runs`;
  const scripts = [chartScript, pageScript];
  const styles = [chartStyle, pageStyle];
  const policy = [
    "default-src 'none'",
    "img-src data:",
    `script-src ${(await Promise.all(scripts.map(source))).join(" ")}`,
    `style-src ${(await Promise.all(styles.map(source))).join(" ")}`,
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · lrcn</title>
${styles.map((text) => `<style>${text}</style>`).join("\n")}
</head>
<body>
<header><h1>${escaped(title)}</h1><p id="state"></p><div id="about"></div></header>
<noscript>This report needs JavaScript to show its curves and images.</noscript>
<main>
<section aria-labelledby="scores-title"><h2 id="scores-title">Best epochs</h2><table id="scores"></table></section>
<section aria-labelledby="curves-title"><h2 id="curves-title">Curves</h2>
<p class="hint">Drag to zoom, double-click to reset.</p><div id="curves"></div></section>
<section id="gallery-section" aria-labelledby="gallery-title"><h2 id="gallery-title">Validation images</h2>
<p><label>Sort by <select id="order"><option value="worst">lowest CIDEr first</option>
<option value="best">highest CIDEr first</option><option value="name">name</option></select></label></p>
<div id="gallery"></div></section>
<section aria-labelledby="settings-title"><h2 id="settings-title">Settings</h2>
<details><summary id="settings-count"></summary><table id="settings"></table></details></section>
</main>
<script type="application/json" id="data">${json(runs)}</script>
${scripts.map((text) => `<script>${text}</script>`).join("\n")}
</body>
</html>
`;
}

/** The source expression of a script or style: its digest. */
async function source(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${new Uint8Array(digest).toBase64()}'`;
}

/** JSON that cannot close the script element around it. */
function json(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
