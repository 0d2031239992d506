/**
 * What a shell may complete. A table of words is taken from the command line itself, and written in the language of
 * each shell.
 */
import type { Command } from "commander";

export type Shell = "bash" | "zsh" | "fish";

/** The script that `femtoclaw completion SHELL` prints, to be read by that shell when it starts. */
export function completionScript(program: Command, shell: Shell): string {
  const words = wordsOf(program);
  switch (shell) {
    case "bash":
      return bashScript(words);
    case "zsh":
      // Zsh can read bash completions.
      return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(words)}`;
    case "fish":
      return fishScript(words);
  }
}

/** Commands and options by the path of the command that they may follow: `""`, `/policy`, `/policy/show`. */
type Words = ReadonlyMap<string, readonly string[]>;

function wordsOf(command: Command, path = ""): Words {
  const options = command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []);
  const commands = command.createHelp().visibleCommands(command);
  const own = [path, [...commands.map((child) => child.name()), ...options, "--help"]] as const;
  return new Map([own, ...commands.flatMap((child) => [...wordsOf(child, `${path}/${child.name()}`)])]);
}

/** Names of commands and options are lower-case letters and dashes, so that none of them needs a quote. */
function bashScript(words: Words): string {
  const paths = [...words.keys()].filter((path) => path !== "");
  const cases = [...words].map(([path, after]) => `    "${path}") words="${after.join(" ")}" ;;`);
  return `_femtoclaw() {
  local path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path/$word" in
    ${paths.join("|")}) path="$path/$word" ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _femtoclaw femtoclaw
`;
}

function fishScript(words: Words): string {
  const paths = [...words.keys()].filter((path) => path !== "");
  const cases = [...words].map(([path, after]) => `    case "${path}"\n      printf "%s\\n" ${after.join(" ")}`);
  return `function __femtoclaw_words
  set -l path ""
  for word in (commandline -opc)[2..]
    switch "$path/$word"
      case ${paths.join(" ")}
        set path "$path/$word"
    end
  end
  switch "$path"
${cases.join("\n")}
  end
end
complete -c femtoclaw -a "(__femtoclaw_words)"
`;
}
