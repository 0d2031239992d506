/**
 * The executable is FemtoClaw, and not a Node.js that an environment could turn into something else: with variables for
 * Node.js it begins again without them. Of those that Node.js obeys before any code of ours runs, the build turns off
 * NODE_OPTIONS and the configuration of OpenSSL, which can load code.
 */
import assert from "node:assert/strict";
import { writeSync } from "node:fs";

/**
 * Certificates, proxies, coverage, code that was kept, warnings to files: all of it goes by names that begin so.
 * NODE_ENV is a word among programs, which Node.js does not look at.
 */
const OF_NODE = /^(NODE_(?!ENV$)|SSL_CERT_|OPENSSL_)/;

/** As `EXIT.usage`; this runs before anything else of ours is loaded. */
const EXIT_USAGE = 64;

export function leaveEnvironmentOfNode(): void {
  const kept = Object.entries(process.env).filter(([name]) => !OF_NODE.test(name));
  if (kept.length === Object.keys(process.env).length) return;
  if (process.platform === "win32") {
    // A process of Windows cannot become another one, and what Node.js obeyed until here cannot be taken back.
    const names = Object.keys(process.env).filter((name) => OF_NODE.test(name));
    writeSync(2, `femtoclaw: unset ${names.join(", ")}, which would change how it runs\n`);
    process.exit(EXIT_USAGE);
  }
  assert(process.execve !== undefined, "this system lets a process begin again");
  process.execve(process.execPath, [process.execPath, ...process.argv.slice(2)], Object.fromEntries(kept));
}
