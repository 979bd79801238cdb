// Checks JSON before `JSON.parse`, which accepts duplicate keys and can exhaust memory on deep or rich texts.

import { quoted } from "../printable.ts";

export interface JsonLimits {
  /** Maximum nesting of objects and arrays. */
  readonly depth: number;
  /** Maximum number of keys, objects and arrays in all. Ten million crash V8, and with it the process. */
  readonly parts: number;
}

/**
 * Describes what makes a JSON text ambiguous, too deep or too rich, or returns undefined. Invalid JSON may pass:
 * `JSON.parse` rejects it.
 */
export function findJsonFault(text: string, limits: JsonLimits): string | undefined {
  // One entry per open object (its keys) or array (undefined).
  const open: (Set<string> | undefined)[] = [];
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{" || character === "[") {
      if (open.length === limits.depth) return `it is nested more than ${limits.depth} levels deep`;
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
        if (keys.has(key)) return `${quoted(key)} occurs twice`;
        keys.add(key);
        parts++;
      }
      at = end - 1;
    }
    if (parts > limits.parts) return `it holds more than ${limits.parts} keys, objects and arrays`;
  }
  return undefined;
}

/** The index after a string's closing quote. */
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
