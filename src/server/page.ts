import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import zip from "fflate/browser" with { type: "text" };
import { heatColor } from "../explanation/heat_color.ts";
import html from "./page/index.html" with { type: "text" };
import style from "./page/page.css" with { type: "text" };
import api from "./page/api.js" with { type: "text" };
import camera from "./page/camera.js" with { type: "text" };
import captions from "./page/captions.js" with { type: "text" };
import copy from "./page/copy.js" with { type: "text" };
import download from "./page/download.js" with { type: "text" };
import heat from "./page/heat.js" with { type: "text" };
import main from "./page/main.js" with { type: "text" };
import run from "./page/run.js" with { type: "text" };
import search from "./page/search.js" with { type: "text" };
import settings from "./page/settings.js" with { type: "text" };
import single from "./page/single.js" with { type: "text" };
import storedImages from "./page/stored_images.js" with { type: "text" };

/** A file of the page. */
export interface PageFile {
  /** The content. */
  readonly text: string;
  /** The Content-Type. */
  readonly type: string;
}

/** A script of a page. */
export const script = (text: string): PageFile => ({ text, type: "text/javascript; charset=utf-8" });

/** Colors of the scale of heat maps. */
const DEGREES = 256;

/** The files by URL path. */
export const PAGE_FILES: ReadonlyMap<string, PageFile> = new Map([
  ["/", { text: html, type: "text/html; charset=utf-8" }],
  ["/page.css", { text: style, type: "text/css; charset=utf-8" }],
  ["/heat-colors.json", { text: JSON.stringify(heatColors()), type: "application/json" }],
  ["/fflate.js", script(zip)],
  ["/stored_images.js", script(storedImages)],
  ...Object.entries({ api, camera, captions, copy, download, heat, main, run, search, settings, single })
    .map(([name, text]) => [`/${name}.js`, script(text)] as const),
]);

/** Example photos of the empty page. */
export const EXAMPLES: readonly string[] = ["camera.jpg", "chelsea.jpg", "coffee.jpg", "rocket.jpg"];

/** Reads an example photo, which needs permission to read it. */
export async function readExample(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return await Deno.readFile(new URL(`./page/examples/${name}`, import.meta.url));
}

function heatColors(): (readonly number[])[] {
  return Array.from({ length: DEGREES }, (_, degree) => heatColor(degree / (DEGREES - 1)));
}

/** Sets the security headers that an answer does not set itself: load from this server only, and no framing by other sites. */
export const securityHeaders: MiddlewareHandler = secureHeaders({
  overwrite: false,
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'", "blob:", "data:"],
    mediaSrc: ["blob:"],
    frameSrc: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
  },
  // A proxy that speaks TLS decides this for its name.
  strictTransportSecurity: false,
});
