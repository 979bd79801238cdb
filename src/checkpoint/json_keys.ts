/**
 * What `JSON.parse` hides: keys that stand twice, and nesting deep enough to hurt.
 *
 * @module
 */

import { quoted } from "./file_error.ts";

/**
 * Finds what makes a JSON text ambiguous or too deep, before it is parsed. A text that is no JSON may pass: `JSON.parse`
 * refuses it.
 *
 * @param text The text.
 * @param maxDepth How deep objects and arrays may stand in each other.
 * @returns What is wrong, in words, or undefined.
 */
export function findJsonFault(text: string, maxDepth: number): string | undefined {
  // One entry for each open object (its keys) or array (undefined).
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{" || character === "[") {
      if (open.length === maxDepth) return `it is nested more than ${maxDepth} deep`;
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
      }
      at = end - 1;
    }
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
