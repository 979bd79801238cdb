import { type Command, Option } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = typeof SHELLS[number];

interface Task {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
  /** Values of the first argument; empty if it is a file. */
  readonly choices: readonly string[];
}

// Commander keeps --help apart from the other options.
const HELP = new Option("-h, --help", "show options, examples and exit codes");

const WRITERS: Readonly<Record<Shell, (tasks: readonly Task[]) => string>> = { bash, zsh, fish };

/** Creates a script that completes `deno task NAME --option`. Other completions of `deno` stay as they were. */
export function completionScript(shell: Shell, commands: Readonly<Record<string, () => Command>>): string {
  const tasks = Object.entries(commands).map(([name, create]) => {
    const command = create();
    return {
      name,
      description: command.description(),
      options: [...command.options.filter((option) => !option.hidden), HELP],
      choices: command.registeredArguments[0]?.argChoices ?? [],
    };
  });
  return WRITERS[shell](tasks);
}

function flagsOf({ short, long }: Option): string[] {
  return [short, long].filter((flag) => flag !== undefined);
}

function bash(tasks: readonly Task[]): string {
  const values = tasks.flatMap(({ name, options }) =>
    options.filter(({ argChoices }) => argChoices !== undefined).map((option) => {
      const places = flagsOf(option).map((flag) => `"${name} ${flag}"`).join(" | ");
      return `      ${places}) words="${option.argChoices?.join(" ")}" ;;`;
    })
  );
  const flags = tasks.map(({ name, options }) => `        ${name}) words="${options.flatMap(flagsOf).join(" ")}" ;;`);
  const choices = tasks.filter(({ choices }) => choices.length > 0)
    .map(({ name, choices }) => `        ${name}) words="${choices.join(" ")}" ;;`);
  return `# Completes lrcn's tasks in bash: deno task NAME --option.
if [[ $(complete -p deno 2>/dev/null) =~ -F\\ ([^ ]+) && \${BASH_REMATCH[1]} != _lrcn_deno ]]; then
  _lrcn_deno_before=\${BASH_REMATCH[1]}
fi
_lrcn_deno() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} task=\${COMP_WORDS[2]} words=
  COMPREPLY=()
  if ((COMP_CWORD < 2)) || [[ \${COMP_WORDS[1]} != task ]]; then
    if [[ -n \${_lrcn_deno_before-} ]]; then "$_lrcn_deno_before" "$@"; fi
    return
  fi
  if ((COMP_CWORD == 2)); then
    words="${tasks.map(({ name }) => name).join(" ")}"
  else
    case "$task $previous" in
${values.join("\n")}
      *) if [[ $current == -* ]]; then case "$task" in
${flags.join("\n")}
      esac; elif ((COMP_CWORD == 3)); then case "$task" in
${choices.join("\n")}
      esac; fi ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _lrcn_deno deno
`;
}

function zsh(tasks: readonly Task[]): string {
  const names = tasks.map(({ name, description }) => `      ${quoted(`${name}:${description}`)}`);
  const cases = tasks.map(({ name, options, choices }) => {
    const specs = options.flatMap((option) => flagsOf(option).map((flag) => zshOption(option, flag)));
    const rest = choices.length > 0 ? [`1:what:(${choices.join(" ")})`, "*:file:_files"] : ["*:file:_files"];
    return `    ${name}) _arguments ${[...specs, ...rest].map(quoted).join(" ")} ;;`;
  });
  return `# Completes lrcn's tasks in zsh: deno task NAME --option.
_lrcn_deno() {
  if (( CURRENT < 3 )) || [[ $words[2] != task ]]; then
    if (( $+functions[_deno] )); then _deno "$@"; else _files; fi
    return
  fi
  if (( CURRENT == 3 )); then
    local -a tasks=(
${names.join("\n")}
    )
    _describe task tasks
    return
  fi
  shift 2 words
  (( CURRENT -= 2 ))
  case $words[1] in
${cases.join("\n")}
  esac
}
compdef _lrcn_deno deno
`;
}

/** The syntax of zsh's `_arguments`: `-x[text]:value:completion`. */
function zshOption({ description, argChoices, required, optional }: Option, flag: string): string {
  const text = description.replaceAll(/[\\[\]:]/g, "\\$&");
  const value = required || optional
    ? `:value:${argChoices === undefined ? "_files" : `(${argChoices.join(" ")})`}`
    : "";
  // Every option may be repeated: some are lists, and of the others the last one counts.
  return `*${flag}[${text}]${value}`;
}

function fish(tasks: readonly Task[]): string {
  const lines = tasks.flatMap(({ name, description, options, choices }) => [
    `complete -c deno -n __lrcn_needs_task -f -a ${name} -d ${fishQuoted(description)}`,
    ...(choices.length > 0 ? [`complete -c deno -n '__lrcn_task ${name}' -f -a ${fishQuoted(choices.join(" "))}`] : []),
    ...options.map((option) => `complete -c deno -n '__lrcn_task ${name}' ${fishOption(option)}`),
  ]);
  // Deno's own script first erases all completions of `deno`. This file has its name, so that fish does not load it later.
  return `# Completes lrcn's tasks in fish: deno task NAME --option. Its place is completions/deno.fish.
deno completions fish | source
function __lrcn_needs_task
  set -l words (commandline -opc)
  test (count $words) -eq 2; and test "$words[2]" = task
end
function __lrcn_task
  set -l words (commandline -opc)
  test (count $words) -ge 3; and test "$words[2]" = task; and test "$words[3]" = $argv[1]
end
${lines.join("\n")}
`;
}

function fishOption({ short, long, description, argChoices, required, optional }: Option): string {
  const value = argChoices !== undefined
    ? ` -x -a ${fishQuoted(argChoices.join(" "))}`
    : required || optional
    ? " -r"
    : "";
  const flags = [...(short === undefined ? [] : [`-s ${short.slice(1)}`]), `-l ${long?.slice(2)}`].join(" ");
  return `${flags}${value} -d ${fishQuoted(description)}`;
}

/** Quotes for bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}
