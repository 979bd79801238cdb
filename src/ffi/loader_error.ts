const REBUILD = "run deno task build";
const REBUILD_ALL = "remove native/build and run deno task build";
const UNSET = "unset LD_LIBRARY_PATH and LD_PRELOAD (conda and others set them)";

/** What the dynamic loader says, and what to do about it. The first that matches counts. */
const ADVICE: readonly (readonly [message: RegExp, advice: string])[] = [
  [/undefined symbol: lrcn_/, REBUILD],
  [
    /GLIBCXX|CXXABI|libstdc\+\+/,
    `another libstdc++ than the system's is loaded first; ${UNSET}, or if neither is set, ${REBUILD_ALL}`,
  ],
  [/\bGLIBC_/, `it was built on a newer system than this; ${REBUILD_ALL}`],
  [/static TLS block/, `too many libraries are loaded before it; ${UNSET}`],
  [
    /undefined symbol|version .* not found/,
    `libraries of another libtorch than it was built with are loaded first; ${UNSET}, or if neither is set, ${REBUILD_ALL}`,
  ],
  [/too short|ELF|cannot read file data/, `it is damaged or made for another machine, remove native/build; ${REBUILD}`],
  [
    /failed to map segment|Operation not permitted/,
    "its disk is mounted noexec, or memory is short; move the project to another disk, or raise the limit by ulimit -v",
  ],
  [/annot allocate memory/, "memory is short; close other programs or raise the limit by ulimit -v"],
  [/Too many open files/, "raise the limit by ulimit -n"],
];

/** Describes an error of the dynamic loader on one line, with its cause and what to do. */
export function loaderReason(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  const message = line.replace(/^(?:Could not open library: )+/, "");
  const [, advice = REBUILD] = ADVICE.find(([pattern]) => pattern.test(message)) ?? [];
  return `${message}; ${advice}`;
}
