/** How schemas of arguments and results are compiled: those of an embedder at startup, our own ahead of time. */
export const ARGUMENT_SCHEMA_OPTIONS = {
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  useDefaults: false,
} as const;

/** Marks a value as a secret. It has no influence on which values are valid. */
export const SECRET_KEYWORD = "x-secret";
