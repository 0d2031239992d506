/** Real deployments, broken: the clause that is about it fails, and no other that did not before. */
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMAND } from "../../host/test/playground.ts";
import { deployedClauses } from "../src/judging/installation.ts";
import type { Observations } from "../src/observations.ts";
import { configuration } from "../src/observing/configuration.ts";
import { observeDeployed } from "../src/observing/deployed.ts";
import { searchPathWithoutBubblewrap } from "../src/observing/surroundings.ts";
import { type Command, Place } from "../src/subject.ts";

const command: Command = COMMAND;

describe("a deployment that is really broken", () => {
  let place: Place;
  const path = (): string => String(place.environment["FEMTOCLAW_CONFIG"]);
  const look = async (): Promise<string[]> => {
    const deployed = await observeDeployed(command, { configuration: path(), environment: place.environment });
    const seen = { deployed: { ok: true, value: deployed } } as unknown as Observations;
    return deployedClauses.filter(({ judge }) => judge(seen).verdict === "fails").map(({ id }) => id);
  };
  let before: string[];
  beforeAll(async () => {
    place = new Place(command, configuration());
    const host = await place.up();
    await place.run(["call", "fs_read", '{"path":"notes.txt"}']);
    host.kill("SIGTERM");
    await host.ended;
    before = await look();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  const journalFile = (): string => {
    const folder = join(place.state, "journal");
    const [largest] = readdirSync(folder)
      .map((name) => join(folder, name))
      .sort((left, right) => statSync(right).size - statSync(left).size);
    return String(largest);
  };
  const replaced = (file: string, change: (bytes: Buffer) => Buffer): (() => void) => {
    const bytes = readFileSync(file);
    writeFileSync(file, change(Buffer.from(bytes)));
    return () => writeFileSync(file, bytes);
  };

  test.each<readonly [string, () => () => void, readonly string[]]>([
    [
      "by a configuration that others may write",
      () => {
        chmodSync(path(), 0o666);
        return () => chmodSync(path(), 0o600);
      },
      ["20.2"],
    ],
    [
      "by a search path without bubblewrap",
      () => replaced(path(), (bytes) => Buffer.from(`${searchPathWithoutBubblewrap(place.root)}${bytes}`)),
      ["20.5"],
    ],
    [
      "by a flipped byte of its journal",
      () =>
        replaced(journalFile(), (bytes) => {
          bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
          return bytes;
        }),
      ["20.3", "20.4"],
    ],
    // What is left is a log by itself; that it was a longer one is known from what was seen of it.
    [
      "by a journal cut short",
      () => replaced(journalFile(), (bytes) => bytes.subarray(0, bytes.length >> 2)),
      ["20.3", "20.4"],
    ],
  ])("%s", async (_how, breakIt, clauses) => {
    const repair = breakIt();
    const failing = await look();
    repair();
    expect(failing.filter((id) => !before.includes(id))).toEqual(clauses);
  });
});
