/**
 * The examples that `--help` shows for each command. Identifiers are shortened with `…`, as in the documentation;
 * everything else runs as it is written. A test reads every line as a shell would, and has the command line parse it.
 */
import type { Command } from "commander";
import { wordsOf } from "./usage-fault.ts";

/** Examples by the words that lead to a command, without `femtoclaw`. A group shows the command to begin with. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  "": ["femtoclaw init --preset git", "femtoclaw up --detach", `femtoclaw call fs_read '{"path":"README.md"}'`],
  init: ["femtoclaw init --preset git"],
  trust: ["femtoclaw trust", "femtoclaw trust --list"],
  doctor: ["femtoclaw doctor"],
  demo: ["femtoclaw demo --fresh"],
  bench: [
    "femtoclaw bench --quick",
    "femtoclaw bench execution --json > before.json",
    "femtoclaw bench execution --compare before.json",
  ],

  up: ["femtoclaw up --detach"],
  down: ["femtoclaw down", "femtoclaw down --now"],
  halt: ['femtoclaw halt 0b7c5a52-… --reason "it deletes files"'],
  reload: ["femtoclaw trust && femtoclaw reload"],
  status: ["femtoclaw status", "femtoclaw status --json"],

  call: [
    `femtoclaw call fs_read '{"path":"README.md"}'`,
    `femtoclaw call process_exec '{"bin":"npm","argv":["test"]}' --stream`,
  ],
  send: [`echo '{"tool_call":{"tool":"fs_read","args":{"path":"README.md"}}}' | femtoclaw send`],
  mcp: ["femtoclaw mcp --print-config codex", "femtoclaw mcp --http 7391 --token-file ~/.config/femtoclaw-token"],
  "mcp pins": ["femtoclaw mcp pins list"],
  "mcp pins list": ["femtoclaw mcp pins list"],
  "mcp pins accept": ["femtoclaw mcp pins accept tracker", "femtoclaw mcp pins accept tracker search"],
  "mcp pins reset": ["femtoclaw mcp pins reset tracker"],
  run: ['femtoclaw run -- claude -p "fix the failing test"', "femtoclaw run --dry-run -- codex"],
  chat: [
    "femtoclaw chat",
    "femtoclaw chat --provider openai-compatible --base-url http://127.0.0.1:11434/v1 --model qwen3",
    'femtoclaw chat "What does README.md say?" > answer.txt',
  ],
  hook: ["femtoclaw hook install claude", "femtoclaw hook test claude"],
  "hook install": ["femtoclaw hook install claude", "femtoclaw hook install claude --write ~/.claude/settings.json"],
  "hook test": ["femtoclaw hook test claude"],

  approvals: ["femtoclaw approvals list", "femtoclaw approvals allow 42"],
  "approvals list": ["femtoclaw approvals list"],
  "approvals show": ["femtoclaw approvals show 42", "femtoclaw approvals show 42 --json > card.json"],
  "approvals allow": ["femtoclaw approvals allow 42", 'femtoclaw approvals allow 42 --session --reason "reviewed"'],
  "approvals deny": ['femtoclaw approvals deny 42 --reason "not on the main branch"'],
  "approvals sign": ["femtoclaw approvals sign card.json --key alice.pem --allow --out answer.txt"],
  "approvals answer": ["femtoclaw approvals answer answer.txt"],
  "approvals watch": ["femtoclaw approvals watch"],

  policy: ["femtoclaw policy check", "femtoclaw policy why 57"],
  "policy check": ["femtoclaw policy check", "femtoclaw --config candidate.toml policy check"],
  "policy show": ["femtoclaw policy show", "femtoclaw policy show --schema > femtoclaw.cedarschema"],
  "policy test": ["femtoclaw policy test"],
  "policy why": ["femtoclaw policy why 57"],
  "policy allow": ["femtoclaw policy allow 57"],
  "policy diff": ["femtoclaw --config candidate.toml policy diff --against-journal"],
  "policy shadow": ["femtoclaw policy shadow --since 1200"],
  "policy learn": ["femtoclaw policy learn --out draft.toml"],

  capabilities: ["femtoclaw capabilities list", "femtoclaw capabilities disable net_fetch"],
  "capabilities list": ["femtoclaw capabilities list"],
  "capabilities show": ["femtoclaw capabilities show process_exec"],
  "capabilities accept": ["femtoclaw capabilities accept word_count"],
  "capabilities reset": ["femtoclaw capabilities reset word_count"],
  "capabilities enable": ["femtoclaw capabilities enable net_fetch"],
  "capabilities disable": ["femtoclaw capabilities disable net_fetch"],

  secrets: ["femtoclaw secrets list"],
  "secrets add": [
    "femtoclaw secrets add forge --for api.example.com < token.txt",
    "femtoclaw secrets add forge --for api.example.com -- pass show forge",
  ],
  "secrets list": ["femtoclaw secrets list"],
  "secrets remove": ["femtoclaw secrets remove forge"],

  executions: ["femtoclaw executions list", "femtoclaw executions show 16"],
  "executions list": ["femtoclaw executions list --state denied", "femtoclaw executions list --follow --output"],
  "executions show": ["femtoclaw executions show 16"],
  "executions follow": ["femtoclaw executions follow 16"],
  "executions resolve": ['femtoclaw executions resolve 16 --not-done --reason "the file is unchanged"'],
  undo: ["femtoclaw undo 41"],
  replay: ["femtoclaw replay", "femtoclaw replay handed-over --key log.vkey --recompute"],
  "replay diff": ["femtoclaw replay diff 10 20"],
  fork: ["femtoclaw fork 120 --out ../forked"],
  snapshots: ["femtoclaw snapshots list"],
  "snapshots list": ["femtoclaw snapshots list"],
  "snapshots show": ["femtoclaw snapshots show 120"],
  "snapshots verify": ["femtoclaw snapshots verify 120"],
  "snapshots export": ["femtoclaw snapshots export 120 --out ~/120.snapshot.json"],

  terminal: ["femtoclaw terminal list", "femtoclaw terminal attach 0b7c5a52-…"],
  "terminal list": ["femtoclaw terminal list"],
  "terminal attach": ["femtoclaw terminal attach 0b7c5a52-…"],
  "terminal export": ["femtoclaw terminal export 0b7c5a52-… --out ~/session.cast"],

  audit: ["femtoclaw audit verify"],
  "audit verify": [
    "femtoclaw audit verify --checkpoint kept.checkpoint",
    "femtoclaw audit verify ~/handed-over --key log.vkey",
  ],
  "audit prove": ["femtoclaw audit prove 12 --out ~/12.proof"],
  "audit check-proof": ["femtoclaw audit check-proof 12.proof --record 12.proof.record --key log.vkey"],
  "audit checkpoint": ["femtoclaw audit checkpoint > kept.checkpoint"],
  "audit forget": ["femtoclaw audit forget"],
  "audit log": ["femtoclaw audit log"],
  "audit export": [
    "femtoclaw audit export --format tiles --out ~/handed-over",
    "femtoclaw audit export --format jsonl --out ~/log.jsonl",
  ],
  "audit witness": ["femtoclaw audit witness"],
  "audit witness list": ["femtoclaw audit witness list"],
  "audit witness serve": ['femtoclaw audit witness serve --dir ./witness --log "$(cat log.vkey)"'],
  "audit erase": ['femtoclaw audit erase 57 --field /result --reason "ticket 12"'],
  "audit prune": ["femtoclaw audit prune --before 180d", "femtoclaw audit prune --before 180d --yes"],
  keys: ["femtoclaw keys show"],
  "keys show": ["femtoclaw keys show", "femtoclaw --json keys show | jq -r .vkey > log.vkey"],
  "keys rotate": ["femtoclaw keys rotate"],
  "keys operator": ["femtoclaw keys operator alice --out ~/alice.pem"],

  inspect: ["femtoclaw inspect --open", "femtoclaw inspect ~/handed-over --key log.vkey"],
  "inspect export": ["femtoclaw inspect export --html ~/for-the-auditor.html"],

  backup: ["femtoclaw backup --out /var/backups/femtoclaw"],
  restore: ["femtoclaw restore femtoclaw.backup --state ~/restored --project ~/project"],
  report: ["femtoclaw report --out report.json"],
  install: ["femtoclaw install --dry-run", "sudo ./femtoclaw-linux-x64 install --system"],
  uninstall: ["femtoclaw uninstall --dry-run", "femtoclaw uninstall"],
  upgrade: ["femtoclaw upgrade ./femtoclaw-linux-x64"],
  rollback: ["femtoclaw rollback"],
  conformance: ["femtoclaw conformance --bin ./femtoclaw-linux-x64"],
  completion: [
    'eval "$(femtoclaw completion bash)"',
    "femtoclaw completion fish > ~/.config/fish/completions/femtoclaw.fish",
  ],
};

export function addExamples(command: Command): void {
  const examples = EXAMPLES[wordsOf(command).split(" ").slice(1).join(" ")] ?? [];
  const { parent } = command;
  // A hidden command is only there to say where it went, so it gets no examples.
  const hidden = parent !== null && !parent.createHelp().visibleCommands(parent).includes(command);
  if (hidden || examples.length === 0) return;
  const heading = examples.length === 1 ? "Example:" : "Examples:";
  command.addHelpText("after", ["", heading, ...examples.map((example) => `  ${example}`)].join("\n"));
}
