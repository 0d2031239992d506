/** Loads Ajv within the standalone executable, on first use. */
type AjvModule = typeof import("ajv/dist/2020.js");

/** The bundler looks for this name. */
declare const require: (name: string) => unknown;

export function loadAjv(): AjvModule {
  return require("ajv/dist/2020.js") as AjvModule;
}
