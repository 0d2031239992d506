/**
 * The executable must behave as FemtoClaw, not as a Node.js that its environment could turn into something else. If
 * there are variables for Node.js, the process restarts itself without them. Two of these take effect before any of our
 * code runs: NODE_OPTIONS, and the configuration of OpenSSL, which can load code. The build turns both off.
 */
import assert from "node:assert/strict";
import { writeSync } from "node:fs";

/**
 * Certificates, proxies, coverage, the compile cache, warnings to files: the variables for all of these begin with one
 * of these prefixes. NODE_ENV is a convention among programs, which Node.js itself ignores.
 */
const OF_NODE = /^(NODE_(?!ENV$)|SSL_CERT_|OPENSSL_)/;

/** Equals `EXIT.usage`; this runs before any other code of ours is loaded. */
const EXIT_USAGE = 64;

export function leaveEnvironmentOfNode(): void {
  const kept = Object.entries(process.env).filter(([name]) => !OF_NODE.test(name));
  if (kept.length === Object.keys(process.env).length) return;
  if (process.platform === "win32") {
    // On Windows a process cannot replace itself, and what Node.js has obeyed until here cannot be undone.
    const names = Object.keys(process.env).filter((name) => OF_NODE.test(name));
    writeSync(2, `femtoclaw: unset ${names.join(", ")}, which would change how it runs\n`);
    process.exit(EXIT_USAGE);
  }
  assert(process.execve !== undefined, "this system lets a process begin again");
  process.execve(process.execPath, [process.execPath, ...process.argv.slice(2)], Object.fromEntries(kept));
}
