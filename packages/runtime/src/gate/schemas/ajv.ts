/** Loads Ajv from where npm installed it, on first use. */
import { createRequire } from "node:module";

type AjvModule = typeof import("ajv/dist/2020.js");

const load = createRequire(import.meta.url);

export function loadAjv(): AjvModule {
  return load("ajv/dist/2020.js") as AjvModule;
}
