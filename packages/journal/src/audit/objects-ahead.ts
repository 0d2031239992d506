/**
 * Objects of a store that nobody writes to, many at a time, for a verification that asks for them in their order.
 * LevelDB pays for each look-up, and rewrites the tables in which many were made.
 */
import type { JournalStore } from "../store/store.ts";

/** LIMIT: objects that are read at once; a tile has 8 KiB. */
const OBJECTS_MAX = 128;

export class ObjectsAhead {
  readonly #store: JournalStore;
  readonly #prefix: string;
  /** Everything from `#first` on up to `#last`; null means that nothing is beyond. */
  #ahead: ReadonlyMap<string, Uint8Array> = new Map();
  #first: string | null = null;
  #last: string | null = null;

  constructor(store: JournalStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  /** What stands under the name; null for nothing. */
  async object(name: string): Promise<Uint8Array | null> {
    if (this.#first === null || name < this.#first || (this.#last !== null && name > this.#last)) {
      const objects = await this.#store.readObjects(this.#prefix, name, OBJECTS_MAX);
      this.#ahead = new Map(objects.map((object) => [object.name, object.bytes]));
      this.#first = name;
      this.#last = objects.length < OBJECTS_MAX ? null : (objects.at(-1)?.name ?? null);
    }
    return this.#ahead.get(name) ?? null;
  }
}
