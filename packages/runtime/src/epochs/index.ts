/** Begins a log of its own with what another one holds: a fork of a log, or a log from its backup. */
export { type ForkOptions, forkLog } from "./fork.ts";
export { freePlace, placeInOwnFolder } from "./free-place.ts";
export type { OpenedEpoch } from "./open-epoch.ts";
export { type RestoredLog, type RestoreOptions, restoreLog } from "./restore.ts";
export { putInPlace, WorkFolder } from "./work-folder.ts";
