/** The part of the journal that a running host needs: opening and writing it, without the code that reads all of it. */
export {
  isEncryptedKey,
  isOperatorName,
  newOperatorKey,
  operatorSigner,
  parseOperatorKey,
  readOperatorKey,
} from "./answers/operator-key.ts";
export {
  answerFault,
  answerReason,
  openAnswer,
  operatorPrincipal,
  type SignedAnswer,
  signAnswer,
} from "./answers/signed-answer.ts";
export { beginsWith, proveConsistency } from "./audit/consistency.ts";
export { type Clock, systemClock } from "./clock.ts";
export { lockClaim } from "./epochs/claim-lock.ts";
export { type DirectoryIdentity, standingOf, writeIdentity } from "./epochs/directory-identity.ts";
export { decide, finishSuccession, type NewLog, prepareNewLog, STATE_FILE } from "./epochs/succession.ts";
export { Journal } from "./journal.ts";
export { readKeyChain, signingKeys } from "./journal-opening.ts";
export type { Appended, JournalEntry, JournalOptions, KnownRecord, Projector } from "./journal-options.ts";
export { decodeAt, type JournalReader, type LogReader, StoreReader } from "./journal-reader.ts";
export { FileKeyring } from "./keys/file-keyring.ts";
export { KeyChain, type SignedCheckpoint } from "./keys/key-chain.ts";
export type { Keyring } from "./keys/keyring.ts";
export { readPrivate } from "./keys/private-file.ts";
export { proveContinuation } from "./known-log/continuation.ts";
export { OneByOne } from "./one-by-one.ts";
export { type ActorSnapshots, snapshotDigests, snapshotMismatch } from "./records/snapshot.ts";
export type { ErasureRequest } from "./retention/erasure.ts";
export { planPruning } from "./retention/pruning.ts";
export { redact, textWithoutSecrets } from "./sealing/redact.ts";
export { type SecretFinder, secretFinder } from "./sealing/schema-secrets.ts";
export { SecretStream } from "./sealing/secret-stream.ts";
export type { Unsealed } from "./sealing/unseal.ts";
export { DiskReserve, MARGIN_BYTES, RESERVE_BYTES } from "./state-directory/disk-reserve.ts";
export { lockFile } from "./state-directory/file-lock.ts";
export { replaceFile, type StagedFile, stageFile, sweepStaged } from "./state-directory/replace-file.ts";
export { EPOCHS_FOLDER, openStateDirectory, type StateDirectory } from "./state-directory/state-directory.ts";
export { syncFolder, syncTree } from "./state-directory/sync-folder.ts";
export { temporaryFolder } from "./state-directory/temporary-folder.ts";
export { ForwardingStore } from "./store/forwarding-store.ts";
export { LeveldbStore } from "./store/leveldb/leveldb-store.ts";
export { ReopeningStore } from "./store/reopening-store.ts";
export type { CommitGroup, IndexEntry, JournalStore, Removal, StoredObject, StoredRecord } from "./store/store.ts";
export { type Checkpoint, parseCheckpoint } from "./tree/checkpoint.ts";
export { verifyConsistency } from "./tree/proof.ts";
export { type NoteSigner, type NoteVerifier, noteSigner, parseVerifierKey, verifierKey } from "./tree/signed-note.ts";
export { TileTree } from "./tree/tiles.ts";
export { growTree } from "./tree-log.ts";
export { WitnessedFolder } from "./witness/witnessed-folder.ts";
