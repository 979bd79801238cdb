// What tests may use of the machine: permissions, and the folder of real images and captions.

async function granted(descriptor: Deno.PermissionDescriptor): Promise<boolean> {
  return (await Deno.permissions.query(descriptor)).state === "granted";
}

/** Whether this run may read any file. */
export const canRead: boolean = await granted({ name: "read" });

/** Whether this run may write any file. */
export const canWrite: boolean = await granted({ name: "write" });

/** Whether this run may start other programs. */
export const canRun: boolean = await granted({ name: "run" });

/** The folder named by `LRCN_TEST_DATA`, or undefined if it is unset, unreadable or not allowed. */
export const testData: string | undefined = canRead && await granted({ name: "env", variable: "LRCN_TEST_DATA" })
  ? Deno.env.get("LRCN_TEST_DATA") || undefined
  : undefined;
