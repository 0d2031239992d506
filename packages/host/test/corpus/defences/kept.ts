import type { Row } from "./defences.ts";

const PATHS = "packages/sandbox/src/views/kept-paths.ts";
const ENDS = "a child ends when what is kept from it is replaced";

/** Of what is masked or read-only in a sandbox, when somebody outside replaces it or there is another name for it. */
export const KEPT: readonly Row[] = [
  ["a child ends with what is kept from it", PATHS, "      this.#onLost(path);\n", "", ENDS],
  [
    "the folders on the way are kept, too",
    "packages/sandbox/src/views/view-planner.ts",
    "paths.push(...new Set(paths.flatMap((path) => this.#wayTo(path))));",
    "paths.length;",
    "lies in another folder by now",
  ],
  [
    "a prepared sandbox is looked at before it is released",
    "packages/sandbox/src/children/bound-child.ts",
    "    this.#watch?.look();\n",
    "",
    "gives way to another one where something that is kept",
  ],
  [
    "no child changes the kernel's settings",
    "packages/sandbox/src/bubblewrap.ts",
    '        ...["--remount-ro", path],\n      ];\n    case "dev":',
    '      ];\n    case "dev":',
    "holds nothing that leads out of the sandbox of this user",
  ],
  [
    "nothing is copied onto what another step shows",
    "packages/sandbox/src/views/copied-files.ts",
    " || !isAlone) return mount;",
    ") return mount;",
    "because a copy would be written to what is shown",
  ],
  [
    "a copy is one of what the system has now",
    "packages/sandbox/src/children/bound-child.ts",
    " && this.#copied.areCurrent()",
    "",
    "is the new one for the next program",
  ],
  [
    "nobody takes a snapshot of a volume",
    "packages/sandbox/src/seccomp/seccomp.ts",
    "[...TERMINAL_REQUESTS, ...VOLUME_REQUESTS]",
    "[...TERMINAL_REQUESTS]",
    "leads out of the sandbox of this user",
  ],
];
