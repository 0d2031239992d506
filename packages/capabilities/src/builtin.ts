/** The capabilities that come with FemtoClaw, in the order in which they are listed. */
import assert from "node:assert/strict";
import { BUILTIN_NAMES } from "./builtin-names.ts";
import type { Capability } from "./capability.ts";
import { fsDelete } from "./files/fs-delete.ts";
import { fsEdit } from "./files/fs-edit.ts";
import { fsList } from "./files/fs-list.ts";
import { fsMkdir } from "./files/fs-mkdir.ts";
import { fsMove } from "./files/fs-move.ts";
import { fsRead } from "./files/fs-read.ts";
import { fsSearch } from "./files/fs-search.ts";
import { fsStat } from "./files/fs-stat.ts";
import { fsWrite } from "./files/fs-write.ts";
import { netFetch } from "./network/net-fetch.ts";
import { processExec } from "./process/process-exec.ts";
import { terminalClose } from "./terminal/terminal-close.ts";
import { terminalOpen } from "./terminal/terminal-open.ts";
import { terminalRead } from "./terminal/terminal-read.ts";
import { terminalResize } from "./terminal/terminal-resize.ts";
import { terminalWrite } from "./terminal/terminal-write.ts";

/** Every capability that is built in. None is enabled unless a configuration names it. */
export const builtinCapabilities: readonly Capability[] = [
  ...[fsList, fsRead, fsStat, fsSearch],
  ...[fsWrite, fsEdit, fsMkdir, fsMove, fsDelete],
  netFetch,
  processExec,
  ...[terminalOpen, terminalWrite, terminalRead, terminalResize, terminalClose],
];

// INVARIANT: I4: a foreign capability with a built-in name is refused by these names alone, so none may be missing.
assert.deepEqual(
  builtinCapabilities.map(({ manifest }) => manifest.name),
  BUILTIN_NAMES,
);
