import assert from "node:assert/strict";
import { type Database, isDatabaseDamaged, isDatabaseFull, openDatabase } from "../../src/files/database.ts";
import { InputError } from "../../src/input_error.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const SCHEMA = "CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY, bytes BLOB)";

function databaseTest(name: string, fn: (path: string) => void | Promise<void>): void {
  Deno.test({
    name,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      await fn(folder.file("things.sqlite"));
    },
  });
}

function names(database: Database): unknown[] {
  return [...database.rows("SELECT name FROM things ORDER BY name")].map(({ name }) => name);
}

function insert(database: Database, name: string, bytes = 1): void {
  database.run("INSERT INTO things VALUES (?, ?)", name, new Uint8Array(bytes));
}

databaseTest("openDatabase() creates a database, and what is written is there when it is opened again", (path) => {
  {
    using database = openDatabase(path, { schema: SCHEMA });
    insert(database, "a", 200_000);
    assert.equal(database.row("SELECT * FROM things WHERE name = ?", "b"), undefined);
  }
  using database = openDatabase(path, { schema: SCHEMA, readOnly: true });
  assert.deepEqual(database.row("SELECT * FROM things"), {
    __proto__: null,
    name: "a",
    bytes: new Uint8Array(200_000),
  });
  assert.throws(() => insert(database, "b"), /^InputError: Cannot write '.+': attempt to write a readonly database$/);
});

databaseTest("a transaction keeps all or nothing", (path) => {
  using database = openDatabase(path, { schema: SCHEMA });
  using other = openDatabase(path, { schema: SCHEMA });
  database.transaction(() => {
    insert(database, "a");
    assert.deepEqual(names(other), []);
  });
  assert.deepEqual(names(other), ["a"]);
  assert.throws(() =>
    database.transaction(() => {
      insert(database, "b");
      insert(database, "a");
    }), InputError);
  insert(other, "c");
  assert.deepEqual(names(database), ["a", "c"]);
});

databaseTest("a full disk is told from other errors, and leaves the former state", (path) => {
  using database = openDatabase(path, { schema: SCHEMA });
  insert(database, "a");
  database.row("PRAGMA max_page_count = 8");
  assert.throws(() =>
    database.transaction(() => {
      for (let thing = 0; thing < 10; thing++) insert(database, `${thing}`, 100_000);
    }), (error) => isDatabaseFull(error) && !isDatabaseDamaged(error));
  assert.deepEqual(names(database), ["a"]);
  assert.throws(() => insert(database, "a"), (error) => error instanceof InputError && !isDatabaseFull(error));
});

databaseTest("openDatabase() names a file that is no database, and one that is missing", async (path) => {
  assert.throws(
    () => openDatabase(path, { schema: SCHEMA, readOnly: true }),
    (error) => error instanceof InputError && error.message.includes(path) && !isDatabaseDamaged(error),
  );
  await Deno.writeTextFile(path, "no database".repeat(1000));
  for (const readOnly of [false, true]) {
    assert.throws(
      () => openDatabase(path, { schema: SCHEMA, readOnly }),
      (error) => isDatabaseDamaged(error) && /: it is damaged, remove it$/.test(String(error)),
    );
  }
});

databaseTest("a damaged page is an error, and not the end of the rows", async (path) => {
  {
    using database = openDatabase(path, { schema: SCHEMA });
    database.transaction(() => {
      for (let thing = 0; thing < 5000; thing++) insert(database, `${thing}`.padStart(200, "0"));
    });
  }
  const bytes = await Deno.readFile(path);
  const pages = bytes.length / 65536;
  let damaged = 0;
  for (let page = 2; page < pages; page++) {
    await Deno.writeFile(path, bytes);
    using file = await Deno.open(path, { write: true });
    await file.seek(page * 65536, Deno.SeekMode.Start);
    await file.write(new Uint8Array(65536).fill(0xa5));
    using database = openDatabase(path, { schema: SCHEMA });
    try {
      assert.equal(names(database).length, 5000);
    } catch (error) {
      assert(isDatabaseDamaged(error), String(error));
      damaged++;
    }
  }
  assert(damaged > 0);
});
