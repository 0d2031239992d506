/** What `init` writes: one commented configuration for each preset, holding only programs that exist here. */
import { basename } from "node:path";
import { DEFAULT_SEARCH_PATH, findProgram } from "@femtoclaw/runtime";

export const PRESETS = ["read-only", "node", "python", "git"] as const;
export type Preset = (typeof PRESETS)[number];

interface PresetProgram {
  readonly name: string;
  /** The uses, as TOML. */
  readonly uses: string;
  readonly why?: string;
}

interface PresetContent {
  readonly about: string;
  readonly writesWorkspace: boolean;
  readonly programs: readonly PresetProgram[];
}

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

const CONTENTS: Readonly<Record<Preset, PresetContent>> = {
  "read-only": { about: "look at the project, change nothing", writesWorkspace: false, programs: READERS },
  git: {
    about: "look at the project and its history, change nothing",
    writesWorkspace: false,
    programs: [...READERS, GIT],
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
  },
};

export function presetWritesWorkspace(preset: Preset): boolean {
  return CONTENTS[preset].writesWorkspace;
}

export function presetText(preset: Preset): string {
  const { about, writesWorkspace, programs } = CONTENTS[preset];
  return `# What an agent may do in this project. What is not named here is denied.
# Preset ${preset}: ${about}.
# After a change, run \`femtoclaw trust\`: a changed file is not loaded before.

workspace = "."                  # relative to this file
search_path = [${DEFAULT_SEARCH_PATH.map((folder) => `"${folder}"`).join(", ")}]

[capabilities]                   # disabled unless named here
process_exec = true
fs_read = true
fs_list = true
${writesWorkspace ? "" : "# "}fs_write = true

[allow]
read = ["."]
${writesWorkspace ? 'write = ["."]' : '# write = ["./out"]'}

[allow.run]                      # programs of search_path; a word is the first argument
${programs.map(programText).join("\n")}

[deny]                           # wins over everything above
# read = ["./secrets"]           # in a folder that may be written it has to exist

[limits]
# timeout_ms = 30000
# output_bytes = 1048576
`;
}

function programText({ name, uses, why }: PresetProgram): string {
  const found = findProgram(name, DEFAULT_SEARCH_PATH);
  if ("problem" in found) return `# ${name} is not installed in search_path.`;
  const runner = basename(found.realPath);
  if (MULTI_CALL.has(runner)) return `# ${name} is ${runner} on this machine, which can run any program.`;
  return `${why === undefined ? "" : `# ${why}\n`}${name} = ${uses}`;
}

/** One file that is many programs, shells among them: allowing one of its names would allow all. */
const MULTI_CALL: ReadonlySet<string> = new Set(["busybox", "toybox"]);
