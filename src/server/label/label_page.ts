import { PAGE_FILES, type PageFile, script } from "../page.ts";
import html from "../page/label.html" with { type: "text" };
import style from "../page/label.css" with { type: "text" };
import label from "../page/label.js" with { type: "text" };

/** The files of the page by URL path: its own, and those that the page of captions has as well. */
export const LABEL_PAGE_FILES: ReadonlyMap<string, PageFile> = new Map([
  ["/", { text: html, type: "text/html; charset=utf-8" }],
  ["/label.css", { text: style, type: "text/css; charset=utf-8" }],
  ["/label.js", script(label)],
  ...["/page.css", "/api.js"].flatMap((path) => {
    const file = PAGE_FILES.get(path);
    return file === undefined ? [] : [[path, file] as const];
  }),
]);
