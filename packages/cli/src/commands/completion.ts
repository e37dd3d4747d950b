import type { Command } from 'commander';
import { allKindNames } from '../api/kind-names.ts';
import { usageFailure } from '../cli-failure.ts';
import type { Context } from '../context.ts';

/** One command as a completion script needs it. */
interface Entry {
  readonly path: string;
  readonly subcommands: readonly string[];
  readonly flags: readonly string[];
}

/** `weft completion bash|zsh|fish`: a script made from the commands themselves, so that it cannot fall behind. */
export function completion(context: Context, program: Command, shell: string): void {
  const entries = collect(program, '');
  switch (shell) {
    case 'bash':
      context.terminal.out(bash(entries));
      return;
    case 'zsh':
      context.terminal.out(`#compdef weft\nautoload -U +X bashcompinit && bashcompinit\n${bash(entries)}`);
      return;
    case 'fish':
      context.terminal.out(fish(entries));
      return;
    default:
      throw usageFailure(`no completion for ${JSON.stringify(shell)}`, 'use bash, zsh or fish');
  }
}

function collect(command: Command, path: string): Entry[] {
  const subcommands = command.commands.map((child) => child.name());
  const flags = command.options
    .flatMap((option) => [option.long, option.short])
    .filter((flag) => typeof flag === 'string');
  return [
    { path, subcommands, flags: [...flags, '--help'] },
    ...command.commands.flatMap((child) => collect(child, `${path} ${child.name()}`.trim())),
  ];
}

const kindCommands = ['get', 'delete'];

function bash(entries: readonly Entry[]): string {
  const cases = entries
    .map(({ path, subcommands, flags }) => {
      const words = [...subcommands, ...(kindCommands.includes(path) ? allKindNames() : [])];
      return `    '${path}') words='${words.join(' ')}'; flags='${flags.join(' ')}' ;;`;
    })
    .join('\n');
  return `# weft completion; use: source <(weft completion bash)
_weft() {
  local cur path='' word words='' flags='' i
  cur="\${COMP_WORDS[COMP_CWORD]}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$word" in
      --) return 0 ;;
      -*) ;;
      *) case " ${entries.map((entry) => entry.path.replaceAll(' ', ':')).join(' ')} " in *" \${path:+$path:}$word "*) path="\${path:+$path:}$word" ;; esac ;;
    esac
  done
  case "\${path//:/ }" in
${cases}
  esac
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    -o|--output) words='json yaml wide name'; flags='' ;;
    -f|--filename) compopt -o default 2>/dev/null; COMPREPLY=(); return 0 ;;
    --engine) words='weft envoy grpc'; flags='' ;;
    --protocol) words='http http2 grpc grpc-web tcp auto'; flags='' ;;
  esac
  if [[ "$cur" == -* ]]; then words="$flags"; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then compopt -o default 2>/dev/null; fi
}
complete -F _weft weft
`;
}

function fish(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ path, subcommands, flags }) => {
    const words = path === '' ? [] : path.split(' ');
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
    const notYet = subcommands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${subcommands.join(' ')}`];
    const condition = [...seen, ...notYet].join('; and ');
    const when = condition === '' ? '' : ` -n '${condition}'`;
    return [
      ...(subcommands.length === 0 ? [] : [`complete -c weft -f${when} -a '${subcommands.join(' ')}'`]),
      ...(kindCommands.includes(path) ? [`complete -c weft -f${when} -a '${allKindNames().join(' ')}'`] : []),
      ...flags.filter((flag) => flag.startsWith('--')).map((flag) => `complete -c weft${when} -l ${flag.slice(2)}`),
    ];
  });
  return `# weft completion; use: weft completion fish | source\n${lines.join('\n')}\n`;
}
