/**
 * The standalone executable holds no compiler of schemas. Those of its built-in capabilities were compiled when they were
 * written, and those of packages and MCP servers are interpreted; only a program that embeds the runtime brings others.
 */
type AjvModule = typeof import("ajv/dist/2020.js");

export function loadAjv(): AjvModule {
  throw new Error(
    "a built-in capability has a schema that was not compiled ahead; run `npm run generate` and build again",
  );
}
