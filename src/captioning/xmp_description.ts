// The description of an image in XMP (ISO 16684-1): dc:description, a text in one or several languages.

import { SaxesParser, type SaxesTagNS } from "saxes";
import { InputError } from "../input_error.ts";

const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const DC = "http://purl.org/dc/elements/1.1/";
const XML = "http://www.w3.org/XML/1998/namespace";
/** XMP needs about ten. */
const MAX_DEPTH = 100;

/** A place in the text of an XMP file where a description is, or can be inserted. */
interface Place {
  readonly start: number;
  readonly end: number;
  /** Surrounds the escaped description. */
  readonly around: readonly [before: string, after: string];
  /** The description that is there, if any. */
  readonly text: string | undefined;
}

/** An XMP file's content with another description. */
export interface DescribedXmp {
  readonly xmp: string;
  /** The description before, if there was one. */
  readonly former: string | undefined;
}

/** Writes the XMP of an image that has none yet. */
export function makeXmp(description: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="${RDF}">
  <rdf:Description rdf:about="" xmlns:dc="${DC}">
   <dc:description>
    <rdf:Alt>
     <rdf:li xml:lang="x-default">${escapeText(description)}</rdf:li>
    </rdf:Alt>
   </dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
`;
}

/**
 * Sets the description in XMP, in the default language, and changes nothing else.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If it is not well-formed XMP, or its description has an unusual form.
 */
export function describeXmp(xmp: string, description: string, file: string): DescribedXmp {
  const { start, end, around: [before, after], text } = findPlace(xmp, file);
  return {
    xmp: xmp.slice(0, start) + before + escapeText(description) + after + xmp.slice(end),
    former: text,
  };
}

interface OpenTag {
  readonly tag: SaxesTagNS;
  /** Where its start tag begins and ends. */
  readonly from: number;
  readonly to: number;
}

const PATH = [[RDF, "RDF"], [RDF, "Description"], [DC, "description"], [RDF, "Alt"], [RDF, "li"]] as const;

/** How deep in {@linkcode PATH} the innermost open tag is; -1 if it is elsewhere. */
function depthOf(open: readonly OpenTag[]): number {
  const root = open.findIndex(({ tag }) => isAt(tag, 0));
  const inside = root < 0 ? [] : open.slice(root);
  return inside.length > 0 && inside.every(({ tag }, depth) => isAt(tag, depth)) ? inside.length - 1 : -1;
}

function isAt(tag: SaxesTagNS, depth: number): boolean {
  const [uri, local] = PATH[depth] ?? [];
  return tag.uri === uri && tag.local === local;
}

function findPlace(xmp: string, file: string): Place {
  const refuse = (reason: string) => {
    throw new InputError(`Cannot write the description into '${file}': ${reason}; correct or move the file`);
  };
  const parser = new SaxesParser({ xmlns: true });
  const open: OpenTag[] = [];
  const found: Place[] = [];
  const counts = { roots: 0, descriptions: 0 };
  let about = "";
  let text = "";
  let inserted: Place | undefined;

  parser.on("error", ({ message }) => refuse(`it is not well-formed XML (${message})`));
  parser.on("doctype", () => refuse("it has a document type, which XMP has not"));
  parser.on("xmldecl", ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) refuse(`its encoding is ${encoding}, not UTF-8`);
  });
  parser.on("opentag", (tag) => {
    // Attributes hold no "<".
    if (open.length > MAX_DEPTH) refuse("its elements are nested too deeply");
    open.push({ tag, from: xmp.lastIndexOf("<", parser.position - 1), to: parser.position });
    const depth = depthOf(open);
    if (depth === 0) counts.roots++;
    const attributes = Object.values(tag.attributes);
    if (depth === 1) {
      about = attributes.find(({ uri, local }) => local === "about" && (uri === RDF || uri === ""))?.value ?? about;
      if (attributes.some(({ uri, local }) => uri === DC && local === "description")) {
        refuse("its dc:description is an attribute, not a list of languages");
      }
    }
    if (depth === 2) counts.descriptions++;
    if (depth === 4) text = "";
    else if (open.length > 5 && depthOf(open.slice(0, -1)) === 4) refuse("its dc:description contains elements");
  });
  const onText = (piece: string) => void (text += piece);
  parser.on("text", onText);
  parser.on("cdata", onText);
  parser.on("closetag", ({ isSelfClosing }) => {
    const depth = depthOf(open);
    const { tag, from, to } = open.pop() ?? refuse("its tags do not match");
    const closing = xmp.lastIndexOf("<", parser.position - 1);
    const isDefault = Object.values(tag.attributes).some(({ uri, local, value }) =>
      uri === XML && local === "lang" && value === "x-default"
    );
    if (depth === 4 && isDefault) {
      found.push(
        isSelfClosing
          ? { start: from, end: to, around: [`${xmp.slice(from, to - 2)}>`, `</${tag.name}>`], text: "" }
          : { start: to, end: closing, around: ["", ""], text },
      );
    }
    if (depth !== 0) return;
    if (isSelfClosing) refuse("its rdf:RDF is empty");
    inserted = { start: closing, end: closing, around: newDescription(about), text: undefined };
  });
  parser.write(xmp).close();

  if (counts.roots !== 1) refuse(`it has ${counts.roots} elements rdf:RDF, not one`);
  const [place, ...others] = found;
  if (counts.descriptions === 0 && inserted !== undefined) return inserted;
  if (place !== undefined && others.length === 0 && counts.descriptions === 1) return place;
  return refuse("its dc:description is not one list of languages (rdf:Alt) with one default (x-default)");
}

/** XMP may state the properties of an image in several elements that are about the same thing. */
function newDescription(about: string): [string, string] {
  return [
    `<rdf:Description xmlns:rdf="${RDF}" xmlns:dc="${DC}" rdf:about="${escapeText(about).replaceAll('"', "&quot;")}">` +
    '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">',
    "</rdf:li></rdf:Alt></dc:description></rdf:Description>\n",
  ];
}

function escapeText(text: string): string {
  return text.toWellFormed()
    // XML has no form for these.
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
