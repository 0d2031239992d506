/** The write-ahead journal: records, the tree over them, group commit, snapshots, and the stores that keep them. */

export type { HeldCheckpoint } from "./audit/checkpoint-check.ts";
export { exportJsonl, exportOcsf, exportTiles, exportValues, lineCheckpointOf } from "./audit/export.ts";
export { checkProof, prove } from "./audit/inclusion.ts";
export { LinesReader } from "./audit/lines-reader.ts";
export { type LogSource, StoreSource } from "./audit/log-source.ts";
export { proveSnapshot, type SnapshotProof } from "./audit/prove-snapshot.ts";
export { verificationThreads } from "./audit/segment-checkers.ts";
export { type ReplayReader, TilesReader } from "./audit/tiles-reader.ts";
export { TilesSource } from "./audit/tiles-source.ts";
export { copyForVerification, verifyDirectory } from "./audit/verify-directory.ts";
export { type LogVerdict, type VerifyOptions, verifyLog } from "./audit/verify-log.ts";
export { parentAt } from "./epochs/log-parent.ts";
export * from "./live.ts";
export { checkJournal } from "./records/check.ts";
export {
  type AddCheckpoint,
  formatAddCheckpoint,
  parseAddCheckpoint,
  parseHeldSize,
  REQUEST_CHARS_MAX,
} from "./witness/add-checkpoint.ts";
export {
  type Cosignature,
  cosign,
  findCosignature,
  parseWitnessKey,
  witnessKey,
  witnessSigner,
} from "./witness/cosignature.ts";
export { formatHeldLine, HELD_LINE_BYTES_MAX, parseHeldLine } from "./witness/held-line.ts";
export { type Conflict, objection, openRequest, type Refusal } from "./witness/judgement.ts";
