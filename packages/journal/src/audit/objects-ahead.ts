/**
 * Reads the objects of a store many at a time, for a verification that asks for them in order and while nobody writes
 * to the store. Single look-ups in LevelDB are expensive, and many of them make it rewrite the tables.
 */
import type { JournalStore } from "../store/store.ts";

/** LIMIT: objects read at once; a tile has 8 KiB. */
const OBJECTS_MAX = 128;

export class ObjectsAhead {
  readonly #store: JournalStore;
  readonly #prefix: string;
  /** Every object from `#first` to `#last`; `#last` is null if there are no further ones. */
  #ahead: ReadonlyMap<string, Uint8Array> = new Map();
  #first: string | null = null;
  #last: string | null = null;

  constructor(store: JournalStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  /** The object of this name; null if there is none. */
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
