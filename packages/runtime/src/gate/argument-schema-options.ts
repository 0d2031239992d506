/** How schemas of arguments and results are compiled: at a start those of an embedder, ahead of it our own. */
export const ARGUMENT_SCHEMA_OPTIONS = {
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  useDefaults: false,
} as const;

/** Marks a value as a secret; says nothing about which values are valid. */
export const SECRET_KEYWORD = "x-secret";
