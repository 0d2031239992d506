import type { Row } from "./defences.ts";

const CHILDREN = "packages/sandbox/src/control-groups/waiting-children.ts";
const GROUP = "packages/sandbox/src/control-groups/child-group.ts";

/** Of children that wait for a call, or would outlive their host. */
export const WAITING: readonly Row[] = [
  [
    "a child that waited is looked at before it is used",
    CHILDREN,
    "if (waiting.bound.isReady) return waiting.bound;",
    "return waiting.bound;",
    "is replaced",
  ],
  [
    "a child waits for a call that is started with the same",
    CHILDREN,
    "if (waiting.startedWith !== startedWith || !waiting.bound.isIn) continue;",
    "if (!waiting.bound.isIn) continue;",
    "is for calls that are started with the same",
  ],
  [
    "nobody is in the groups of one that waits",
    GROUP,
    "return isAlone && !isFrozen",
    "return !isFrozen",
    "gets company",
  ],
  [
    "one that waits has its limits still",
    GROUP,
    "&& limitsOf(group, this.#limits).every((limit) => isSet(group, limit))",
    "",
    "loses a limit",
  ],
  [
    "one that waits is not stopped",
    "packages/sandbox/src/children/bound-child.ts",
    "return this.isIn && isAsleep(pid) &&",
    "return this.isIn &&",
    "is stopped is replaced",
  ],
  [
    "one that waits ends with its host",
    "packages/sandbox/src/control-groups/joining.ts",
    "read -r femto_words <&5 || exit 1",
    "read -r femto_words <&5; femto_words=0",
    "whoever started it has ended",
  ],
  [
    "what is made ready runs nothing before it is taken",
    "packages/sandbox/src/children/bound-child.ts",
    "if (this.#told === null || !this.#isReleased || ",
    "if (this.#told === null || ",
    "a child that is made ready",
  ],
  [
    "what is left of a killed bubblewrap is told nothing",
    "packages/sandbox/src/children/bound-child.ts",
    "this.#pipe(FILTER_DESCRIPTOR)?.destroy()",
    "this.#pipe(FILTER_DESCRIPTOR)",
    "and killed meanwhile gives way",
  ],
  [
    "what was made ready ends with a call that does not run",
    "packages/runtime/src/gate/gate.ts",
    "execution.prepared?.effect[Symbol.dispose]()",
    "undefined",
    "is disposed of where",
  ],
  [
    "what a killed host leaves is ended",
    "packages/sandbox/src/children/orphan-watch.ts",
    "kill -KILL",
    "test",
    "is found by that mark alone",
  ],
  [
    "what is left can be found",
    "packages/sandbox/src/children/child-start.ts",
    "...MARKED, ",
    "",
    "carries the mark of its host",
  ],
];
