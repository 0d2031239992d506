/** Ajv in the standalone executable, evaluated when it is first asked for. */
type AjvModule = typeof import("ajv/dist/2020.js");

/** What the bundler looks for. */
declare const require: (name: string) => unknown;

export function loadAjv(): AjvModule {
  return require("ajv/dist/2020.js") as AjvModule;
}
