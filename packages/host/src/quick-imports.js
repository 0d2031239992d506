// @ts-check
/** How one of our sources finds another. Plain JavaScript: it is read before anything is kept. */
import { registerHooks } from "node:module";

/**
 * From here on an import of a file beside ours is that file, as its words say. Node.js would look whether it is there,
 * whether a link leads to it and which package it belongs to, for each of some five hundred: a quarter of the processor
 * time that loading them takes. One that is missing shows when it is read. Others' modules are found as ever.
 */
export function resolveOwnImports() {
  registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context;
      // INVARIANT: a module has one address, or there would be two of it. No source is a link, and Node.js has followed those
      // that led to the first of them.
      if (parentURL === undefined || !/^\.\.?\/.*\.ts$/.test(specifier)) return next(specifier, context);
      return { url: new URL(specifier, parentURL).href, format: "module-typescript", shortCircuit: true };
    },
  });
}
