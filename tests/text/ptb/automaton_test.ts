import assert from "node:assert/strict";
import fc from "fast-check";
import { Automaton, DeadEnds, type Match } from "../../../src/text/ptb/automaton.ts";

function longest(patterns: readonly string[], text: string, start = 0): Match | undefined {
  return new Automaton(patterns).longest(text, start, new DeadEnds(text.length));
}

/** The longest match by trying every end. */
function byTrying(patterns: readonly string[], text: string, start: number): Match | undefined {
  for (let end = text.length; end > start; end--) {
    const pattern = patterns.findIndex((each) => new RegExp(`^(?:${each})$`, "u").test(text.slice(start, end)));
    if (pattern >= 0) return { pattern, end };
  }
  return undefined;
}

Deno.test("Automaton finds the longest match, and of equal ones the first pattern's", () => {
  assert.deepEqual(longest(["1|12", "123?", "12"], "1234"), { pattern: 1, end: 3 });
  assert.deepEqual(longest(["1", "12", "12?"], "12"), { pattern: 1, end: 2 });
  assert.deepEqual(longest(["1+"], "0111", 1), { pattern: 0, end: 4 });
  assert.equal(longest(["1"], "2"), undefined);
  assert.equal(longest(["1*"], "2"), undefined);
});

Deno.test("Automaton matches a letter in both cases, and a class literally", () => {
  assert.deepEqual(longest(["ski"], "S\u212a\u0130"), { pattern: 0, end: 3 });
  assert.deepEqual(longest(["[s]ki"], "sKI"), { pattern: 0, end: 3 });
  assert.equal(longest(["[s]ki"], "Ski"), undefined);
  assert.deepEqual(longest([String.raw`[^\]]\p{L}\u00e9\(`], "[xé("), { pattern: 0, end: 4 });
});

Deno.test("Automaton finds the same as trying every end, at one position after another", () => {
  const set = fc.constantFrom("0", "1", "[01]", "[^0]");
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4 },
      set,
      fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `${a}${b}`),
      fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `(${a}|${b})`),
      fc.tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{2}", "{0,2}", "{1,3}")).map(([a, b]) => `(${a})${b}`),
    ),
  }));
  const text = fc.string({ unit: fc.constantFrom("0", "1", "2"), maxLength: 12 });
  fc.assert(fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), text, (patterns, text) => {
    const automaton = new Automaton(patterns);
    const dead = new DeadEnds(text.length);
    for (let at = 0; at < text.length; at++) {
      assert.deepEqual(automaton.longest(text, at, dead), byTrying(patterns, text, at));
    }
  }));
});

Deno.test("Automaton rejects a malformed pattern", () => {
  for (const pattern of ["(1", "1)", "[1", "*", "1{", "1**"]) {
    assert.throws(() => new Automaton([pattern]), { name: "SyntaxError", message: /^Cannot read the pattern / });
  }
});
