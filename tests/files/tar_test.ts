import assert from "node:assert/strict";
import type { RandomAccessFile } from "../../src/files/open_file.ts";
import { isTar, type TarMember, tarMembers } from "../../src/files/tar.ts";
import { InputError } from "../../src/input_error.ts";
import { joinBytes, paxRecord, tarEntry, tarFile } from "../support/tar_file.ts";

/** A file in memory that counts the bytes read. */
function openBytes(bytes: Uint8Array<ArrayBuffer>) {
  const file = {
    size: bytes.length,
    total: 0,
    read(offset: number, length: number) {
      assert(offset >= 0 && offset + length <= bytes.length, `${offset}+${length} of ${bytes.length}`);
      file.total += length;
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
    [Symbol.dispose]() {},
  };
  return file satisfies RandomAccessFile;
}

async function list(bytes: Uint8Array<ArrayBuffer>): Promise<{ members: TarMember[]; error: string }> {
  const members: TarMember[] = [];
  try {
    for await (const member of tarMembers(openBytes(bytes), "x.tar")) members.push(member);
  } catch (error) {
    assert(error instanceof InputError && !error.message.includes("\n"), String(error));
    return { members, error: error.message };
  }
  return { members, error: "" };
}

Deno.test("tarMembers() returns each member's offset, where its bytes are", async () => {
  const bytes = tarFile([
    { name: "a.jpg", content: "picture" },
    { name: "in", type: "5" },
    { name: "b.txt", content: "x".repeat(513) },
    { name: "link", type: "2" },
    { name: "empty", content: "" },
    { name: "a", prefix: "long/way" },
  ]);
  const { members, error } = await list(bytes);
  assert.equal(error, "");
  assert.deepEqual(members.map(({ name, isFile, size }) => [name, isFile, size]), [
    ["a.jpg", true, 7],
    ["in", false, 0],
    ["b.txt", true, 513],
    ["link", false, 0],
    ["empty", true, 0],
    ["long/way/a", true, 0],
  ]);
  const [first] = members;
  assert.equal(first?.offset, 512);
  assert.equal(new TextDecoder().decode(bytes.slice(512, 512 + 7)), "picture");
});

Deno.test("tarMembers() reads GNU's and pax's long names, sizes and other scripts", async () => {
  const long = `${"ordner/".repeat(30)}bild.jpg`;
  const { members, error } = await list(tarFile([
    { name: "././@LongLink", type: "L", content: `${long}\0` },
    { name: long.slice(0, 100), content: "1" },
    { name: "PaxHeader/x", type: "x", content: paxRecord("path", "写真/été.jpg") + paxRecord("size", "3") },
    { name: "short", content: "abc", size: "00000000000\0" },
    { name: "global", type: "g", content: paxRecord("path", "not for one member") },
    { name: "plain.jpg", content: "2", size: Uint8Array.of(0x80, ...new Uint8Array(10), 1) },
  ]));
  assert.equal(error, "");
  assert.deepEqual(members.map(({ name, size }) => [name, size]), [[long, 1], ["写真/été.jpg", 3], ["plain.jpg", 1]]);
});

Deno.test("tarMembers() reads headers alone, however large the members", async () => {
  const file = openBytes(tarFile([1, 2, 3].map((n) => ({ name: `${n}.jpg`, content: new Uint8Array(1 << 20) }))));
  let count = 0;
  for await (const { size } of tarMembers(file, "x.tar")) count += size;
  assert.equal(count, 3 << 20);
  assert(file.total < 50_000, `${file.total} bytes were read`);
});

Deno.test("tarMembers() yields the members before a damaged place", async () => {
  const good = tarEntry({ name: "a.jpg", content: "1" });
  const damaged: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [tarEntry({ name: "b.jpg", content: "1", size: "00000777777\0" }), /ends within a member of 262143 bytes/],
    [tarEntry({ name: "b.jpg", content: "1", size: "77777777777\0" }), /ends within a member of 8589934591 bytes/],
    [tarEntry({ name: "b.jpg", size: "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f" }), /without a valid size/],
    [tarEntry({ name: "b.jpg", size: "-0000000001\0" }), /without a valid size/],
    [tarEntry({ name: "b.jpg" }).subarray(0, 300).slice(), /ends within a header/],
    [new TextEncoder().encode("x".repeat(512)), /no valid header after 'a\.jpg' at byte 1024; fetch it again/],
    [tarEntry({ name: "L", type: "L", content: "a".repeat(70_000) }), /a header of 70000 bytes, 65536 are allowed/],
    [tarEntry({ name: "x", type: "x", content: "12 path" }), /damaged pax header/],
    [tarEntry({ name: "x", type: "x", content: "99999999 path=x\n" }), /damaged pax header/],
    [tarEntry({ name: "x", type: "x", content: "0 path=x\n" }), /damaged pax header/],
    [
      joinBytes([tarEntry({ name: "x", type: "x", content: paxRecord("size", "1e300") }), tarEntry({ name: "b" })]),
      /without a valid size/,
    ],
  ];
  for (const [bytes, message] of damaged) {
    const { members, error } = await list(joinBytes([good, bytes]));
    assert.match(error, message);
    assert.deepEqual(members.map(({ name }) => name), ["a.jpg"]);
  }
});

Deno.test("tarMembers() ends with the file, whatever its bytes", async () => {
  const whole = tarFile([
    { name: "x", type: "x", content: paxRecord("path", "y.jpg") },
    { name: "a.jpg", content: "1" },
    { name: "././@LongLink", type: "L", content: "z\0" },
    { name: "b.txt", content: "2" },
  ]);
  for (let seed = 1; seed <= 2000; seed++) {
    const bytes = whole.slice(0, seed % 5 === 0 ? (seed * 7919) % whole.length : whole.length);
    for (let change = 0; change < 3; change++) bytes[(seed * 104_729 + change * 7) % whole.length] = (seed * 31) % 256;
    await list(bytes);
  }
});

Deno.test("isTar() looks at the header's checksum, not at a name", () => {
  assert(isTar(tarFile([{ name: "a" }])));
  assert(!isTar(new Uint8Array(512)));
  assert(!isTar(new TextEncoder().encode("image,caption\n".repeat(100))));
});
