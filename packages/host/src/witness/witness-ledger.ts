/**
 * What a witness remembers: the last checkpoint of each log that it cosigned. This is in a store of its own, which only
 * one process can have open and which stores a checkpoint whole or not at all.
 */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import {
  type AddCheckpoint,
  type Checkpoint,
  type Conflict,
  type Cosignature,
  cosign,
  FileKeyring,
  LeveldbStore,
  type NoteSigner,
  type NoteVerifier,
  objection,
  openRequest,
  openStateDirectory,
  parseCheckpoint,
  type Refusal,
  witnessSigner,
} from "@femtoclaw/journal";
import { FemtoError, printable } from "@femtoclaw/protocol";

export class WitnessLedger implements AsyncDisposable {
  readonly signer: NoteSigner;
  readonly #store: LeveldbStore;
  readonly #logs: readonly NoteVerifier[];
  /** The latest request; each one waits for the one before it. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(store: LeveldbStore, signer: NoteSigner, logs: readonly NoteVerifier[]) {
    this.#store = store;
    this.signer = signer;
    this.#logs = logs;
  }

  /**
   * Makes the folder and the key if they are missing. Throws FEMTO_JOURNAL_LOCKED if another process has the store
   * open.
   */
  static async open(folder: string, logs: readonly NoteVerifier[]): Promise<WitnessLedger> {
    const { journal, keys } = await openStateDirectory(folder, { create: true });
    const store = new LeveldbStore(journal);
    const { size } = await store.open();
    try {
      if (size > 0) {
        const reason = `${printable(folder, 4_096)} is the state directory of a log`;
        throw new FemtoError("FEMTO_USAGE", reason, { fix: "Name a separate folder for the witness with --dir." });
      }
      const keyring = new FileKeyring(keys);
      if ((await keyring.current()) === null) {
        await keyring.prepare();
        await keyring.install();
      }
      const key = await keyring.current();
      assert(key !== null, "a keyring has the key that was installed");
      return new WitnessLedger(store, witnessSigner(key), logs);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  // INVARIANT: I7: the old size is compared and the new checkpoint stored in one turn, so that two concurrent requests
  // cannot both continue from the same size.
  /** Resolves with a cosignature only after the checkpoint is durable. */
  take(request: AddCheckpoint, timeS: number): Promise<Cosignature | Conflict | Refusal> {
    const answer = this.#turn.then(() => this.#take(request, timeS));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn;
    await this.#store.close();
  }

  async #take(request: AddCheckpoint, timeS: number): Promise<Cosignature | Conflict | Refusal> {
    const opened = openRequest(request, this.#logs);
    if ("status" in opened) return opened;
    const { checkpoint, text } = opened;
    const name = `origin/${hash("sha256", checkpoint.origin)}`;
    const objected = objection(request, checkpoint, await this.#held(name));
    if (objected !== null) return objected;
    const cosignature = cosign(text, this.signer, timeS);
    const bytes = Buffer.from(request.note + cosignature.line);
    await this.#store.append({ expectedSize: 0, records: [], index: [], objects: [{ name, bytes }] });
    return cosignature;
  }

  async #held(name: string): Promise<Checkpoint | null> {
    const bytes = await this.#store.object(name);
    if (bytes === null) return null;
    const note = Buffer.from(bytes).toString();
    const checkpoint = parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1));
    if (checkpoint !== null) return checkpoint;
    throw new FemtoError("FEMTO_JOURNAL_CORRUPT", "what the witness kept of a log is no checkpoint");
  }
}
