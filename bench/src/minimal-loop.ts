/**
 * The least that keeps the promise of a durable intent and a durable outcome: parse, put, put, with one sync for
 * everything that waits. It has no policy, gate, tree or sessions, and nobody should mistake it for FemtoClaw: it is
 * the ceiling.
 */
import { hash } from "node:crypto";
import { join } from "node:path";
import { Level } from "level";

const RECORD_BYTES = 700;

export class MinimalLoop implements AsyncDisposable {
  readonly #database: Level<string, string>;
  #next = 0;
  #waiting: { readonly text: string; readonly done: () => void }[] = [];
  #isWriting = false;

  private constructor(database: Level<string, string>) {
    this.#database = database;
  }

  static async open(directory: string): Promise<MinimalLoop> {
    const database = new Level<string, string>(join(directory, "minimal"), { compression: false });
    await database.open();
    return new MinimalLoop(database);
  }

  async execute(message: Uint8Array): Promise<void> {
    const text = Buffer.from(message).toString("utf8");
    const { tool_call: call } = JSON.parse(text) as { readonly tool_call: object };
    const digest = hash("sha256", text);
    const padding = "r".repeat(Math.max(0, RECORD_BYTES - text.length));
    await this.#append(JSON.stringify({ intent: call, digest, padding }));
    await this.#append(JSON.stringify({ outcome: {}, digest, padding }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.close();
  }

  async #append(text: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ text, done: resolve });
    if (!this.#isWriting) setImmediate(() => void this.#write());
    this.#isWriting = true;
    await promise;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      const puts = group.map(({ text }) => {
        this.#next += 1;
        return { type: "put" as const, key: String(this.#next).padStart(12, "0"), value: text };
      });
      await this.#database.batch(puts, { sync: true });
      for (const { done } of group) done();
    }
    this.#isWriting = false;
  }
}
