/** `shoal completion bash|zsh|fish`: a script for the shell, made from the commands themselves. */
import { Argument, type Command } from 'commander';

/** Words that may follow, by the path of commands before them. */
function wordsByPath(command: Command, path: readonly string[], into: Map<string, string[]>): void {
  const options = command.options.flatMap((option) => [option.long, option.short].filter((flag) => flag !== undefined));
  const names = command.commands.map((inner) => inner.name());
  const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  into.set(path.join(' '), [...names, ...choices, ...options, '--help']);
  for (const inner of command.commands) wordsByPath(inner, [...path, inner.name()], into);
}

function bash(program: Command): string {
  const words = new Map<string, string[]>();
  wordsByPath(program, [], words);
  const cases = [...words].map(([path, list]) => `    '${path}') words='${list.join(' ')}' ;;`);
  return `# shoal completion for bash: source <(shoal completion bash)
_shoal() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' i
  case "$previous" in
    --config|-c|--data-dir|-d|--json-file) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in -*) ;; *) path="\${path:+$path }\${COMP_WORDS[i]}" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _shoal shoal
`;
}

function fish(program: Command): string {
  const lines = ['# shoal completion for fish: shoal completion fish | source', 'complete -c shoal -f'];
  for (const command of program.commands) {
    lines.push(
      `complete -c shoal -n __fish_use_subcommand -a ${command.name()} -d '${command.description().replaceAll("'", '')}'`,
    );
    for (const option of command.options) {
      if (option.long !== undefined) {
        lines.push(
          `complete -c shoal -n '__fish_seen_subcommand_from ${command.name()}' -l ${option.long.slice(2)} -d '${option.description.replaceAll("'", '')}'`,
        );
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Adds the command. */
export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print tab completion for a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action((shell: string) => {
      if (shell === 'fish') process.stdout.write(fish(program));
      else
        process.stdout.write(
          `${shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}${bash(program)}`,
        );
    });
}
