/** What `init` writes: for each preset a commented configuration that names only programs found on this machine. */
import { basename } from "node:path";
import { DEFAULT_SEARCH_PATH, findProgram } from "@femtoclaw/runtime/configuration";

export const PRESETS = ["read-only", "node", "python", "git"] as const;
export type Preset = (typeof PRESETS)[number];

interface PresetProgram {
  readonly name: string;
  /** The permitted uses, as TOML. */
  readonly uses: string;
  readonly why?: string;
}

interface PresetContent {
  readonly about: string;
  readonly writesWorkspace: boolean;
  readonly programs: readonly PresetProgram[];
  /** Programs that an operator is asked about each time. */
  readonly asked: readonly PresetProgram[];
}

const READING = ["fs_read", "fs_list", "fs_stat", "fs_search"];
const WRITING = ["fs_write", "fs_edit", "fs_mkdir", "fs_move", "fs_delete"];

const ANY_ARGUMENTS = '["*"]';
const ANY_CODE = "[{ any = true, unsafe = true }]";
const SANDBOX_BOUNDS_IT = "It can run any code, so what bounds it is the sandbox: these tables, and no network.";

const READERS: readonly PresetProgram[] = ["cat", "diff", "grep", "head", "ls", "tail", "wc"].map((name) => ({
  name,
  uses: ANY_ARGUMENTS,
}));

const GIT: PresetProgram = {
  name: "git",
  why: "A word allows no options but the listed ones, and nothing here changes the repository.",
  uses: `[
  { word = "status", flags = ["--short", "--branch"] },
  { word = "diff", flags = ["--stat", "--cached", "--name-only"] },
  { word = "log", flags = ["--oneline", "--stat"] },
  { word = "show", flags = ["--stat"] },
]`,
};

const COMMITS: PresetProgram = {
  name: "git",
  why: "What the repository has hooks for runs in the same sandbox.",
  uses: `[
  { word = "add", flags = ["--all", "--update"] },
  { word = "commit", flags = ["--all", "--message", "-a", "-m", "-am"] },
]`,
};

const CONTENTS: Readonly<Record<Preset, PresetContent>> = {
  "read-only": { about: "look at the project, change nothing", writesWorkspace: false, programs: READERS, asked: [] },
  git: {
    about: "change the project's files; ask before its tests run, and before a commit",
    writesWorkspace: true,
    programs: [...READERS, GIT],
    asked: [
      COMMITS,
      { name: "npm", why: "Tests are the project's own code, which runs in the sandbox.", uses: '["test"]' },
      { name: "pytest", uses: ANY_CODE },
    ],
  },
  node: {
    about: "change the project's files and run its Node.js code and scripts",
    writesWorkspace: true,
    programs: [
      ...READERS,
      GIT,
      { name: "node", why: SANDBOX_BOUNDS_IT, uses: ANY_CODE },
      { name: "npm", why: "Scripts of package.json run in the same sandbox.", uses: '["test", "run"]' },
    ],
    asked: [COMMITS],
  },
  python: {
    about: "change the project's files and run its Python code",
    writesWorkspace: true,
    programs: [
      ...READERS,
      GIT,
      { name: "python3", why: SANDBOX_BOUNDS_IT, uses: ANY_CODE },
      { name: "pytest", why: SANDBOX_BOUNDS_IT, uses: ANY_CODE },
    ],
    asked: [COMMITS],
  },
};

/** Folders of an installation, which lie apart from the configuration. */
export interface InstalledFolders {
  readonly configuration: string;
  readonly workspace: string;
  readonly state: string;
  readonly sockets: string;
}

export function presetText(preset: Preset, installed: InstalledFolders | null = null): string {
  const { about, writesWorkspace, programs, asked } = CONTENTS[preset];
  const written =
    installed === null
      ? `# What an agent may do in this project. What is not named here is denied.
# Preset ${preset}: ${about}.
# After a change, run \`femtoclaw trust\`: a changed file is not loaded before.

workspace = "."                  # relative to this file`
      : `# What agents may do through the host that was installed. What is not named here is denied.
# Preset ${preset}: ${about}.
# After a change, run \`femtoclaw policy check\` and \`femtoclaw reload\`, or start the host again.

workspace = "${installed.workspace}"`;
  const workspace = installed?.workspace ?? ".";
  return `${written}
search_path = [${DEFAULT_SEARCH_PATH.map((folder) => `"${folder}"`).join(", ")}]

[capabilities]                   # disabled unless named here
process_exec = true
${READING.map((name) => `${name} = true`).join("\n")}
${WRITING.map((name) => `${writesWorkspace ? "" : "# "}${name} = true`).join("\n")}
# net_fetch = true

[allow]
read = ["${workspace}"]
${writesWorkspace ? `write = ["${workspace}"]` : `# write = ["${workspace}/out"]`}
# fetch = ["example.com"]        # https on port 443; write "example.com:80" for http

[allow.run]                      # programs of search_path; a word is the first argument
${programs.map(programText).join("\n")}
${asked.length === 0 ? "" : `\n[ask.run]                        # an operator answers each time, by \`femtoclaw approvals\`\n${asked.map(programText).join("\n")}\n`}
[deny]                           # wins over everything above
# read = ["${workspace}/secrets"]           # in a folder that may be written it has to exist

[limits]
# timeout_ms = 30000
# output_bytes = 1048576
${installed === null ? "" : `\n[memory]\npath = "${installed.state}"\n\n[host]\nruntime_dir = "${installed.sockets}"\n`}`;
}

/** The tests for the preset; they hold as long as the configuration is as it was written. */
export function presetTests(preset: Preset, installed: InstalledFolders | null = null): string {
  const at = (name: string): string => `"${installed === null ? "" : `${installed.workspace}/`}${name}"`;
  const own = installed === null ? at("femtoclaw.toml") : `"${installed.configuration}"`;
  const unwritable = [".git/hooks/pre-commit", "policy/new.cedar"].map(at).join(", ");
  const { writesWorkspace, programs } = CONTENTS[preset];
  const offered = new Set(programs.map(({ name }) => name).filter((name) => obstacle(name) === null));
  const allowed = [
    ["ls", "-l"],
    ["git", "status"],
  ].filter(([name = ""]) => offered.has(name));
  // Only what nobody allows by an ordinary entry, so that `policy allow` leads a newcomer to no failing test.
  const denied = [
    ["sh", "-c", "id"],
    ["git", "-c", "core.pager=id", "log"],
  ].filter(([name = ""]) => "path" in find(name));
  return `# What the policy has to say to calls like these. \`femtoclaw policy test\` decides on each and executes none;
# a start does the same, and does not go on where one fails. Add the calls that matter to you.

[tool.fs_read]
match = [${at("README.md")}]
not_match = [${own}, "/etc/shadow"]

[tool.fs_write]
${writesWorkspace ? `match = [${at("notes.md")}]\n` : ""}not_match = [${writesWorkspace ? "" : `${at("notes.md")}, `}${unwritable}]

[tool.process_exec]              # a program and its arguments
match = ${callsText(allowed)}
not_match = ${callsText(denied)}
`;
}

const callsText = (calls: readonly string[][]): string =>
  `[${calls.map((call) => `[${call.map((text) => `"${text}"`).join(", ")}]`).join(", ")}]`;

const find = (name: string) => findProgram(name, DEFAULT_SEARCH_PATH);

function programText({ name, uses, why }: PresetProgram): string {
  const problem = obstacle(name);
  if (problem !== null) return `# ${name} is ${problem}.`;
  return `${why === undefined ? "" : `# ${why}\n`}${name} = ${uses}`;
}

/** Why the program is left out on this machine; null if it is not. */
function obstacle(name: string): string | null {
  const found = find(name);
  if ("problem" in found) return "not installed in search_path";
  const runner = basename(found.realPath);
  return MULTI_CALL.has(runner) ? `${runner} on this machine, which can run any program` : null;
}

/** Single files that contain many programs, shells included, so that allowing one of their names would allow all. */
const MULTI_CALL: ReadonlySet<string> = new Set(["busybox", "toybox"]);
