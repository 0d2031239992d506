/** The write-ahead journal: records, the tree over them, group commit, snapshots, and the stores that keep them. */
export {
  isEncryptedKey,
  isOperatorName,
  newOperatorKey,
  type OperatorKeyFile,
  operatorSigner,
  parseOperatorKey,
  readOperatorKey,
} from "./answers/operator-key.ts";
export {
  type AnswerStatement,
  answerFault,
  answerReason,
  openAnswer,
  operatorPrincipal,
  type SignedAnswer,
  signAnswer,
} from "./answers/signed-answer.ts";
export { beginsWith, proveConsistency } from "./audit/consistency.ts";
export { type Exported, exportJsonl, exportOcsf, exportTiles, exportValues } from "./audit/export.ts";
export { checkProof, type ProofCheck, type ProofParts, prove } from "./audit/inclusion.ts";
export { LinesReader } from "./audit/lines-reader.ts";
export { type LogSource, StoreSource } from "./audit/log-source.ts";
export { proveSnapshot, type SnapshotProof } from "./audit/prove-snapshot.ts";
export { verificationThreads } from "./audit/segment-checkers.ts";
export { type ReplayReader, TilesReader } from "./audit/tiles-reader.ts";
export { TilesSource } from "./audit/tiles-source.ts";
export { copyForVerification, type VerificationCopy, verifyDirectory } from "./audit/verify-directory.ts";
export { type HeldCheckpoint, type LogVerdict, type VerifyOptions, verifyLog } from "./audit/verify-log.ts";
export { type Clock, systemClock } from "./clock.ts";
export { lockClaim } from "./epochs/claim-lock.ts";
export {
  type DirectoryIdentity,
  type MachineName,
  type Standing,
  standingOf,
  writeIdentity,
} from "./epochs/directory-identity.ts";
export { parentAt } from "./epochs/log-parent.ts";
export {
  decide,
  EPOCHS_FOLDER,
  finishSuccession,
  type NewLog,
  prepareNewLog,
  STATE_FILE,
} from "./epochs/succession.ts";
export { Journal } from "./journal.ts";
export { readKeyChain } from "./journal-opening.ts";
export type { Appended, JournalEntry, JournalOptions, KnownRecord, Projector } from "./journal-options.ts";
export { decodeAt, type JournalReader, type LogReader, StoreReader } from "./journal-reader.ts";
export { FileKeyring } from "./keys/file-keyring.ts";
export { KeyChain, type LogKey, originOf, type SignedCheckpoint } from "./keys/key-chain.ts";
export { type Keyring, MemoryKeyring } from "./keys/keyring.ts";
export { readPrivate } from "./keys/private-file.ts";
export { proveContinuation } from "./known-log/continuation.ts";
export { checkJournal, type JournalCheck } from "./records/check.ts";
export { decodeRecord, encodeRecord } from "./records/record.ts";
export { type ActorSnapshots, snapshotDigests, snapshotMismatch } from "./records/snapshot.ts";
export type { ErasureRequest } from "./retention/erasure.ts";
export { type Pruning, planPruning } from "./retention/pruning.ts";
export { isCommittedValue } from "./sealing/commitments.ts";
export { redact, textWithoutSecrets } from "./sealing/redact.ts";
export { type SecretFinder, secretFinder } from "./sealing/schema-secrets.ts";
export { SecretStream } from "./sealing/secret-stream.ts";
export type { Unsealed } from "./sealing/unseal.ts";
export { DiskReserve, MARGIN_BYTES, RESERVE_BYTES } from "./state-directory/disk-reserve.ts";
export { lockFile } from "./state-directory/file-lock.ts";
export { replaceFile } from "./state-directory/replace-file.ts";
export {
  openStateDirectory,
  type StateDirectory,
  type StateDirectoryOptions,
} from "./state-directory/state-directory.ts";
export { syncFolder, syncTree } from "./state-directory/sync-folder.ts";
export { ForwardingStore } from "./store/forwarding-store.ts";
export { inspectLeveldbFiles } from "./store/leveldb/leveldb-files.ts";
export { LeveldbStore, type LeveldbStoreOptions } from "./store/leveldb/leveldb-store.ts";
export { MemoryDisk, MemoryStore, type StoreFault } from "./store/memory-store.ts";
export { ReopeningStore, type ReopeningStoreOptions } from "./store/reopening-store.ts";
export type { CommitGroup, IndexEntry, JournalStore, Removal, StoredObject, StoredRecord } from "./store/store.ts";
export { type Checkpoint, parseCheckpoint } from "./tree/checkpoint.ts";
export { verifyConsistency } from "./tree/proof.ts";
export { type NoteSigner, type NoteVerifier, noteSigner, parseVerifierKey, verifierKey } from "./tree/signed-note.ts";
export { TileTree } from "./tree/tiles.ts";
export { growTree } from "./tree-log.ts";
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
export { type Conflict, type OpenedRequest, objection, openRequest, type Refusal } from "./witness/judgement.ts";
export { WitnessedFolder } from "./witness/witnessed-folder.ts";
