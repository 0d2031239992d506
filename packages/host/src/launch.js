#!/usr/bin/env node
// @ts-check
/**
 * Entry of the `femtoclaw` command: lets Node.js keep compiled code, then runs main.ts. Plain JavaScript, because
 * the first TypeScript file that is not kept loads the type stripper, which costs more than all of this.
 */
import { keepCompiledCode } from "./compiled-code.js";
import { resolveOwnImports } from "./quick-imports.js";

keepCompiledCode(process.env);
resolveOwnImports();
await import("./main.ts");
