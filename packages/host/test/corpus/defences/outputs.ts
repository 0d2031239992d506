import type { Row } from "./defences.ts";

/** Of what runs, for those who look on. */
export const OUTPUTS: readonly Row[] = [
  [
    "a session looks at its own calls",
    "packages/runtime/src/outputs/outputs.ts",
    'if (session === undefined || (whose !== "operators" && whose !== session)) throw',
    "if (session === undefined) throw",
    "another session is told the same",
  ],
  [
    "readers have a limit",
    "packages/runtime/src/outputs/outputs.ts",
    "if (waiting >= (whose",
    "if (waiting < 0 && waiting >= (whose",
    "of those that wait there are no more",
  ],
  [
    "what may be the beginning of a secret waits",
    "packages/journal/src/sealing/secret-stream.ts",
    "this.#held = text.slice(from);",
    'this.#held = ""; return textRedacted(text);',
    "a secret in pieces",
  ],
];
