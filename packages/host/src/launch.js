#!/usr/bin/env node
// @ts-check
/**
 * Entry of the `femtoclaw` command: lets Node.js keep compiled code, then runs main.ts. Plain JavaScript, because
 * the first TypeScript file that is not kept loads the type stripper, which costs more than all of this.
 */
import { setFlagsFromString } from "node:v8";
import { keepCompiledCode } from "./compiled-code.js";
import { resolveOwnImports } from "./quick-imports.js";
import { V8_FLAGS } from "./v8-flags.js";

// First, because what is kept is good for one set of flags.
for (const flag of V8_FLAGS) setFlagsFromString(flag);
keepCompiledCode(process.env);
resolveOwnImports();
await import("./main.ts");
