/** The defences around what a session did before, and around words that come while a call is on its way. */
import type { Row } from "./defences.ts";

const DECISIONS = "packages/runtime/src/gate/decisions.ts";
const FOLD = "packages/runtime/src/projection/session-histories.ts";

export const HISTORIES: readonly Row[] = [
  [
    "what decides also confines",
    DECISIONS,
    "execution.standing = this.#parts.standing(actor.principal);",
    "",
    "another one came while they waited",
  ],
  [
    "a call that waited is decided by what happened meanwhile",
    DECISIONS,
    "if (isSameHistory(facts?.history, this.#historyOf(execution)))",
    "if (facts !== null)",
    "when they have waited for their turn",
  ],
  [
    "a halted session begins nothing that waited",
    "packages/runtime/src/gate/steps.ts",
    "isKnown ? haltOf(this.#parts.histories, execution.session) : UNRECORDABLE",
    "isKnown ? null : UNRECORDABLE",
    "what it was permitted before",
  ],
  [
    "a mark stands from the intent on",
    FOLD,
    "for (const mark of marks) held[mark] ??= seq;",
    "if (seq < 0) held.read_secret = seq;",
    "the program is forbidden",
  ],
  [
    "a budget counts what runs",
    FOLD,
    "history.bytes = counted(history.bytes + bytes + reserved);",
    "history.bytes = counted(history.bytes + bytes);",
    "a budget of bytes",
  ],
  ["a budget counts calls that fail", FOLD, "    history.calls += 1;", "    history.calls += 0;", "a budget of calls"],
];
