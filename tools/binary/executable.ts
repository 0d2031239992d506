/** Joins Node.js and a bundle into one file that needs neither of them to run. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { withBuiltinsUnderFlags } from "./builtin-code.ts";
import type { Bundle } from "./bundle.ts";
import { BUILD_FLAGS, isCompiledFor, V8_FLAGS } from "./compiled-chunks.ts";
import { isElf, stripElf } from "./strip-elf.ts";
import { type Target, targetOf } from "./targets.ts";
import { isPe, unsignPe } from "./unsign-pe.ts";

/** The options of Node.js, since neither the environment nor the command line can give it any. */
const nodeFlags = ({ emptyFile }: Target): string[] => [
  // Otherwise SIGUSR1 would open a debugger to everybody on this machine.
  "--disable-sigusr1",
  // A configuration file of OpenSSL could load code.
  `--openssl-config=${emptyFile}`,
  "--no-warnings",
  ...V8_FLAGS,
];

export function executable(node: Buffer, { main, code, assets }: Bundle, target: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-build-"));
  try {
    const put = (name: string, bytes: Uint8Array): string => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
      return name;
    };
    const configuration = {
      // INVARIANT: I6: relative, because it gets into the executable, which has to be the same wherever it is built.
      main: put("femtoclaw.cjs", main),
      output: "femtoclaw",
      executable: put("node", asOurs(node, target)),
      disableExperimentalSEAWarning: true,
      // Neither NODE_OPTIONS nor the command line changes how Node.js runs.
      execArgvExtension: "none",
      execArgv: nodeFlags(targetOf(target)),
      assets: Object.fromEntries([...code, ...assets].map(([name, bytes]) => [name, put(join("assets", name), bytes)])),
    };
    put("sea.json", Buffer.from(JSON.stringify(configuration)));
    execFileSync(process.execPath, [...BUILD_FLAGS, "--build-sea", "sea.json"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
    return readFileSync(join(folder, "femtoclaw"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Removes what is useless or wrong in the finished program, and has it keep its modules compiled. The signature of macOS is
 * removed when the program is made.
 */
function asOurs(node: Buffer, target: string): Buffer {
  const bare = isElf(node) ? stripElf(node) : isPe(node) ? unsignPe(node) : node;
  return isCompiledFor(target) ? withBuiltinsUnderFlags(bare) : bare;
}
