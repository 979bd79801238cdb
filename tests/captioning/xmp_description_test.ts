import assert from "node:assert/strict";
import { describeXmp, makeXmp } from "../../src/captioning/xmp_description.ts";
import { InputError } from "../../src/input_error.ts";

const RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"';
const DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"';

/** XMP as a photo program writes it, around some elements. */
function xmp(inside: string, attributes = ""): string {
  return `\uFEFF<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>\r
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF ${RDF}>
  <rdf:Description rdf:about="uuid:1&amp;2" ${DC} xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"${attributes}>
   <!-- stars > 3 -->
   <dc:subject><rdf:Bag><rdf:li>sea &amp; s\u00e4nd \u{1F415}</rdf:li></rdf:Bag></dc:subject>
${inside}  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;
}

const alt = (items: string) => `   <dc:description>\n    <rdf:Alt>${items}</rdf:Alt>\n   </dc:description>\r\n`;

Deno.test("describeXmp() replaces the text of the default language, and no other byte", () => {
  const cases: [inside: (text: string) => string, before: string][] = [
    [(text) => alt(`<rdf:li xml:lang="x-default">${text}</rdf:li>`), "a cat"],
    [(text) => alt(`<rdf:li xml:lang="x-default">${text}</rdf:li><rdf:li xml:lang="de">Katze</rdf:li>`), "a cat"],
    [(text) => alt(`<rdf:li xml:lang='x-default'>${text}</rdf:li>`), ""],
    [(text) => alt(`<rdf:li xml:lang="x-default">${text}</rdf:li>`), "a &lt;b&gt; &amp; <![CDATA[<i>]]>"],
  ];
  for (const [inside, before] of cases) {
    const changed = describeXmp(xmp(inside(before)), "a dog & a <cat>", "photo.jpg.xmp");
    assert.equal(changed.xmp, xmp(inside("a dog &amp; a &lt;cat&gt;")));
  }
  assert.equal(describeXmp(xmp(cases[3]?.[0]("a &lt;b&gt;") ?? ""), "", "x").former, "a <b>");
});

Deno.test("describeXmp() finds elements by namespace, whatever their prefixes", () => {
  const other = (text: string) =>
    `<R:RDF xmlns:R="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><R:Description><d:description ` +
    `xmlns:d="http://purl.org/dc/elements/1.1/"><R:Alt><R:li xml:lang="x-default">${text}</R:li></R:Alt>` +
    `</d:description><description>no</description></R:Description></R:RDF>`;
  assert.equal(describeXmp(other("a"), "b", "x").xmp, other("b"));
});

Deno.test("describeXmp() fills an empty element", () => {
  const changed = describeXmp(xmp(alt('<rdf:li xml:lang="x-default"/>')), "a dog", "x");
  assert.deepEqual(changed, { xmp: xmp(alt('<rdf:li xml:lang="x-default">a dog</rdf:li>')), former: "" });
});

Deno.test("describeXmp() inserts a description about the same image, and changes no other byte", () => {
  const before = xmp("   <xmp:Label>red</xmp:Label>\n");
  const { xmp: after, former } = describeXmp(before, "a dog", "x");
  assert.equal(former, undefined);
  const end = before.indexOf("</rdf:RDF>");
  const inserted = after.slice(end, after.length - (before.length - end));
  assert.equal(before, after.replace(inserted, ""));
  assert.match(inserted, /^<rdf:Description [^>]*rdf:about="uuid:1&amp;2"><dc:description>.*>a dog</s);
  assert.equal(describeXmp(after, "a cat", "x").former, "a dog");
  assert.equal(describeXmp(after, "a cat", "x").xmp, after.replace("a dog", "a cat"));
});

Deno.test("makeXmp() writes a description that can be read back, whatever its characters", () => {
  assert.equal(describeXmp(makeXmp('a "dog" & <cat> \u{1F415}'), "", "x").former, 'a "dog" & <cat> \u{1F415}');
  assert.equal(describeXmp(makeXmp("a\u0000b\uFFFEc\uD800"), "", "x").former, "a\uFFFDb\uFFFDc\uFFFD");
});

Deno.test("describeXmp() refuses a file that it could damage, and names it", () => {
  const cases: [text: string, reason: RegExp][] = [
    ["", /not well-formed XML/],
    ["a photo of a dog", /not well-formed XML/],
    [xmp("<xmp:Label>"), /not well-formed XML/],
    [xmp("<exif:ISO>1</exif:ISO>"), /not well-formed XML/],
    ["<a/>", /0 elements rdf:RDF/],
    [`<a ${RDF}><rdf:RDF></rdf:RDF><rdf:RDF></rdf:RDF></a>`, /2 elements rdf:RDF/],
    [`<rdf:RDF ${RDF}/>`, /rdf:RDF is empty/],
    [xmp("", ' dc:description="a cat"'), /is an attribute/],
    [xmp("<dc:description>a cat</dc:description>"), /not one list of languages/],
    [xmp(alt('<rdf:li xml:lang="de">Katze</rdf:li>')), /not one list of languages/],
    [xmp(alt('<rdf:li xml:lang="x-default">a</rdf:li><rdf:li xml:lang="x-default">b</rdf:li>')), /with one default/],
    [xmp(alt('<rdf:li xml:lang="x-default">a</rdf:li>').repeat(2)), /with one default/],
    [xmp(alt('<rdf:li xml:lang="x-default">a <b>cat</b></rdf:li>')), /contains elements/],
    [`<!DOCTYPE a [<!ENTITY b "c">]><a/>`, /document type/],
    [`<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, /encoding is ISO-8859-1/],
    [`<a>`.repeat(1000), /nested too deeply/],
  ];
  for (const [text, reason] of cases) {
    assert.throws(() => describeXmp(text, "a dog", "photo.jpg.xmp"), (error) => {
      assert(error instanceof InputError, String(error));
      assert.match(
        error.message,
        /^Cannot write the description into 'photo\.jpg\.xmp': .*; correct or move the file$/,
      );
      assert.match(error.message, reason);
      return true;
    });
  }
});
