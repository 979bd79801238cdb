/**
 * What `JSON.parse` hides, keys that stand twice, and what it may die of: nesting and objects without end.
 *
 * @module
 */

import { quoted } from "../printable.ts";

/** How much {@linkcode findJsonFault} lets pass. */
export interface JsonLimits {
  /** How deep objects and arrays may stand in each other. */
  readonly depth: number;
  /** How many keys, objects and arrays there may be in all. Ten million end V8, and with it the process. */
  readonly parts: number;
}

/**
 * Finds what makes a JSON text ambiguous, too deep or too rich, before it is parsed. A text that is no JSON may pass:
 * `JSON.parse` refuses it.
 *
 * @param text The text.
 * @param limits What may pass.
 * @returns What is wrong, in words, or undefined.
 */
export function findJsonFault(text: string, limits: JsonLimits): string | undefined {
  // One entry for each open object (its keys) or array (undefined).
  const open: (Set<string> | undefined)[] = [];
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{" || character === "[") {
      if (open.length === limits.depth) return `it is nested more than ${limits.depth} deep`;
      parts++;
      open.push(character === "{" ? new Set() : undefined);
    } else if (character === "}" || character === "]") {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys !== undefined && isFollowedByColon(text, end)) {
        const key = decoded(text.slice(at, end));
        if (key === undefined) return undefined;
        if (keys.has(key)) return `${quoted(key)} stands twice`;
        keys.add(key);
        parts++;
      }
      at = end - 1;
    }
    if (parts > limits.parts) return `it holds more than ${limits.parts} keys, objects and arrays`;
  }
  return undefined;
}

/** The place after a string's closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function isFollowedByColon(text: string, at: number): boolean {
  while (" \t\n\r".includes(text.charAt(at)) && at < text.length) at++;
  return text[at] === ":";
}

function decoded(literal: string): string | undefined {
  try {
    return String(JSON.parse(literal));
  } catch {
    return undefined;
  }
}
