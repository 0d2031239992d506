/** Whose connection a local server keeps when more come than it has places for. */
import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { ConnectionPlaces } from "../../src/sockets/connection-places.ts";

/** Closes some time after it was destroyed, as sockets do. */
class Connection extends EventEmitter {
  isDestroyed = false;

  destroy(): void {
    this.isDestroyed = true;
  }
}

function taken(places: ConnectionPlaces, count: number): Connection[] {
  const connections = Array.from({ length: count }, () => new Connection());
  for (const connection of connections) places.take(connection);
  return connections;
}

const open = (connections: readonly Connection[]): boolean[] => connections.map(({ isDestroyed }) => !isDestroyed);

test("the stranger that came first makes room, and one that is known never does", () => {
  const places = new ConnectionPlaces({ known: 2, strangers: 2 });
  const [operator, ...strangers] = taken(places, 2);
  places.know(operator as Connection);
  strangers.push(...taken(places, 4));
  expect(open(strangers)).toEqual([false, false, false, true, true]);
  expect(operator?.isDestroyed).toBe(false);
});

test("those that are known have a limit too, and leave their places", () => {
  const places = new ConnectionPlaces({ known: 1, strangers: 1 });
  const [first] = taken(places, 1) as [Connection];
  places.know(first);
  const [second] = taken(places, 1) as [Connection];
  places.know(second);
  const [third] = taken(places, 1) as [Connection];
  expect(open([first, second, third])).toEqual([true, false, true]);
  first.emit("close");
  places.know(third);
  taken(places, 2);
  expect(third.isDestroyed).toBe(false);
});

test("a connection that was closed holds no place, and one that is gone gets none back", () => {
  const places = new ConnectionPlaces({ known: 1, strangers: 2 });
  const [first, second] = taken(places, 2) as [Connection, Connection];
  first.emit("close");
  const [third] = taken(places, 1) as [Connection];
  expect(open([second, third])).toEqual([true, true]);
  taken(places, 1);
  expect(second.isDestroyed).toBe(true);
  places.know(second);
  places.know(third);
  taken(places, 5);
  expect(third.isDestroyed).toBe(false);
});
