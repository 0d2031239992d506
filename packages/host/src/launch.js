#!/usr/bin/env node
// @ts-check
/**
 * Entry of the `femtoclaw` command: lets Node.js keep compiled code, then runs main.ts. Plain JavaScript, because
 * the first TypeScript file that is not kept loads the type stripper, which costs more than all of this. An older
 * Node.js would end with the place of a syntax error in it, so everything else is loaded after a look at the version.
 */
import process from "node:process";

/** As `engines` in package.json says. */
const NODE_MAJOR_MIN = 26;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `femtoclaw: Node.js ${NODE_MAJOR_MIN} or newer is needed, and this is ${process.version} (${process.execPath})\n` +
      "  fix: Install a newer Node.js, or use the executable, which contains one. docs/guides/packages.md shows both.\n",
  );
  process.exit(69);
}
const [{ keepCompiledCode }, { resolveOwnImports }] = await Promise.all([
  import("./compiled-code.js"),
  import("./quick-imports.js"),
]);
keepCompiledCode(process.env);
resolveOwnImports();
await import("./main.ts");
