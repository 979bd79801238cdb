import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { InputError } from "../input_error.ts";

/** Options of {@linkcode openDatabase}. */
export interface OpenDatabaseOptions {
  /** Creates the tables that are missing. */
  readonly schema: string;
  /**
   * Reads only: the file must be there, and nothing is created.
   *
   * @default {false}
   */
  readonly readOnly?: boolean;
}

/** A value of a column. */
export type DatabaseValue = string | number | Uint8Array | null;

/** A row, by its columns. */
export type DatabaseRow = Readonly<Record<string, SQLOutputValue>>;

/** An SQLite database whose errors name the file; close it with `using`. Several processes may have it open. */
export interface Database extends Disposable {
  /** The first row that a statement finds. */
  row(sql: string, ...values: DatabaseValue[]): DatabaseRow | undefined;
  /** All rows that a statement finds. */
  rows(sql: string, ...values: DatabaseValue[]): readonly DatabaseRow[];
  run(sql: string, ...values: DatabaseValue[]): void;
  /** Makes changes together: all are kept, or none if `change` throws, the disk is full or the process ends. */
  transaction(change: () => void): void;
}

/** Another process needs milliseconds for its changes; longer means that it hangs, or that the disk does. */
const BUSY_MS = 60_000;
const DAMAGED = /^(file is not a database|database disk image is malformed)/;

/**
 * Opens an SQLite database, and creates it if it is missing.
 *
 * Its journal is a rollback journal, not a write-ahead log: that would write images twice, and it needs shared memory, which
 * network file systems and read-only folders lack. Its pages are large, since its rows are.
 *
 * @throws {InputError} If it cannot be opened or is no database.
 */
export function openDatabase(path: string, { schema, readOnly = false }: OpenDatabaseOptions): Database {
  const database = attempt("open", path, () => new DatabaseSync(path, { readOnly, timeout: BUSY_MS }));
  const statements = new Map<string, StatementSync>();

  function prepare(sql: string): StatementSync {
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  }

  function transaction(change: () => void): void {
    attempt("write", path, () => {
      database.exec("BEGIN IMMEDIATE");
      try {
        change();
        database.exec("COMMIT");
      } catch (error) {
        // A full disk has rolled back already.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  try {
    if (readOnly) attempt("open", path, () => database.prepare("SELECT count(*) FROM sqlite_schema").get());
    else {
      attempt("open", path, () => database.exec("PRAGMA page_size = 65536; PRAGMA journal_mode = TRUNCATE"));
      transaction(() => database.exec(schema));
    }
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    row: (sql, ...values) => attempt("read", path, () => prepare(sql).get(...values)),
    // Not iterate(): in Deno 2.9.6 it ends at an error as if there were no more rows.
    rows: (sql, ...values) => attempt("read", path, () => prepare(sql).all(...values)),
    run: (sql, ...values) => attempt("write", path, () => void prepare(sql).run(...values)),
    transaction,
    [Symbol.dispose]: () => database.close(),
  };
}

/** Whether writing failed because of the disk: it is full, or a quota is used up, which SQLite calls an I/O error. */
export function isDatabaseFull(error: unknown): boolean {
  return error instanceof InputError && /^(database or disk is full|disk I\/O error)/.test(messageOf(error.cause));
}

/** Whether an error means that a database cannot be written, even to undo the changes of a process that was killed. */
export function isDatabaseReadOnly(error: unknown): boolean {
  return error instanceof InputError && messageOf(error.cause).startsWith("attempt to write a readonly database");
}

/** Whether an error means that a file is no database, or a damaged one. */
export function isDatabaseDamaged(error: unknown): boolean {
  return error instanceof InputError && DAMAGED.test(messageOf(error.cause));
}

function attempt<Result>(action: string, path: string, operation: () => Result): Result {
  try {
    return operation();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || error instanceof InputError) throw error;
    const message = messageOf(error).replaceAll(/\s+/g, " ");
    const reason = DAMAGED.test(message) ? "it is damaged, remove it" : message;
    throw new InputError(`Cannot ${action} '${path}': ${reason}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
