/** What was seen of a log is kept on the disk: it only grows, is private, and is never believed unread. */
import { chmod, lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beginsWith } from "@femtoclaw/journal";
import { LogMemory } from "@femtoclaw/journal/known-log";
import { FemtoError } from "@femtoclaw/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../journal-fixture.ts";
import { ShownLog } from "./shown-log.ts";

let home: string;
let warnings: string[];
beforeEach(async () => {
  home = await temporaryDirectory();
  warnings = [];
});

function memory(environment: Record<string, string> = { XDG_STATE_HOME: home }): LogMemory {
  return new LogMemory({ environment, place: "/somewhere/state", warn: (reason) => warnings.push(reason) });
}

const sight = (log: ShownLog) => (from: number | null) => log.show(from);

/** The one folder with what was seen. */
async function folder(): Promise<string> {
  const [name = ""] = await readdir(join(home, "femtoclaw", "known-logs"));
  return join(home, "femtoclaw", "known-logs", name);
}

async function file(): Promise<string> {
  const [name = ""] = await readdir(await folder());
  return join(await folder(), name);
}

describe("what was seen", () => {
  test("is asked for from the size that is known, kept in one private file, and not written again when nothing is new", async () => {
    const log = await ShownLog.open();
    const asked: (number | null)[] = [];
    const ask = (from: number | null) => {
      asked.push(from);
      return log.show(from);
    };
    await memory().meet(ask);
    const first = await lstat(await file());
    await memory().meet(ask);
    expect((await lstat(await file())).ino).toBe(first.ino);
    await log.grow(4);
    expect(await memory().meet(ask)).toMatchObject({ before: { size: 1 }, now: { size: 5 } });
    expect(asked).toEqual([null, 1, 1]);
    expect(await readdir(await folder())).toHaveLength(1);
    for (const [path, mode] of [
      [await folder(), 0o700],
      [await file(), 0o600],
    ] as const) {
      expect((await lstat(path)).mode & 0o777).toBe(mode);
    }
    expect(warnings).toEqual([]);
  });

  test("lies beside nothing that a killed client was writing, but beside what another one writes", async () => {
    const log = await ShownLog.open();
    await memory().meet(sight(log));
    const staged = async (digit: string) => join(await folder(), `${digit.repeat(8)}-0000-0000-0000-000000000000.next`);
    const [left, written] = [await staged("0"), await staged("1")];
    for (const path of [left, written]) await writeFile(path, "{");
    await utimes(left, 1_000_000_000, 1_000_000_000);
    await log.grow(1);
    await memory().meet(sight(log));
    expect((await readdir(await folder())).filter((name) => name.endsWith(".next"))).toEqual([basename(written)]);
  });

  test("is told when the log does not fit it, and stays what it was", async () => {
    const log = await ShownLog.open();
    await log.journal.checkpoint();
    const older = log.copy();
    await log.grow(9);
    await memory().meet(sight(log));
    const seen = await memory().remembered();
    const rolledBack = await ShownLog.open(older, log.keyring);
    const refusal = expect.objectContaining({
      code: "FEMTO_LOG_ROLLED_BACK",
      message: expect.stringContaining(`at ${seen?.seenAt} it was seen with 10 records`),
      fix: expect.stringContaining("femtoclaw audit forget"),
    });
    await expect(memory().meet(sight(rolledBack))).rejects.toEqual(refusal);
    await rolledBack.grow(30, "other");
    await expect(memory().meet(sight(rolledBack))).rejects.toEqual(refusal);
    expect(await memory().remembered()).toEqual(seen);
    await memory().meet(sight(log));
  });

  test("is held against a host that refuses to prove, and not against one that went away", async () => {
    const log = await ShownLog.open();
    const refuse = (code: "FEMTO_VERB_UNKNOWN" | "FEMTO_HOST_NOT_RUNNING") => async () => {
      throw new FemtoError(code, "because");
    };
    await expect(memory().meet(refuse("FEMTO_VERB_UNKNOWN"))).rejects.toMatchObject({ code: "FEMTO_VERB_UNKNOWN" });
    await memory().meet(sight(log));
    await expect(memory().meet(refuse("FEMTO_VERB_UNKNOWN"))).rejects.toMatchObject({ code: "FEMTO_LOG_ROLLED_BACK" });
    await expect(memory().meet(refuse("FEMTO_HOST_NOT_RUNNING"))).rejects.toMatchObject({
      code: "FEMTO_HOST_NOT_RUNNING",
    });
  });

  test("is given up when its owner says so", async () => {
    await memory().meet(sight(await ShownLog.open()));
    expect(await memory().forget()).toBe(true);
    expect(await memory().forget()).toBe(false);
    await memory().meet(sight(await ShownLog.open()));
  });

  test("never goes back, whichever of many clients writes last", async () => {
    const log = await ShownLog.open();
    await memory().meet(sight(log));
    for (let round = 0; round < 5; round += 1) {
      const late = Promise.withResolvers<void>();
      // These have their proof already while others see more of the log and write it down.
      const slow = Array.from({ length: 4 }, () =>
        memory().meet(async (from) => {
          const answer = await log.show(from);
          await late.promise;
          return answer;
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
      await log.grow(3);
      const quick = Array.from({ length: 4 }, () => memory().meet(sight(log)));
      const { now } = await memory().meet(sight(log));
      late.resolve();
      await Promise.all([...slow, ...quick]);
      expect(await memory().remembered()).toMatchObject({ size: now.size, root: now.root });
    }
    expect(await readdir(await folder())).not.toContain(expect.stringContaining(".next"));
    expect(warnings).toEqual([]);
  });
});

describe("a place where nothing can be kept", () => {
  test("is told of, and keeps nobody from working", async () => {
    // A file in the place of the folder fails for every user, root too.
    await mkdir(join(home, "femtoclaw"));
    await writeFile(join(home, "femtoclaw", "known-logs"), "");
    const log = await ShownLog.open();
    expect(await memory().meet(sight(log))).toMatchObject({ before: null, now: { size: 1 } });
    expect(warnings).toEqual([expect.stringContaining("the log cannot be remembered")]);
    await memory({}).meet(sight(log));
    expect(warnings[1]).toContain("set HOME");
  });
});

describe("a file that a client did not write so", () => {
  const attacks: Readonly<Record<string, (path: string, text: string) => Promise<unknown>>> = {
    "with a checkpoint of another size under the same signature": (path, text) =>
      writeFile(path, text.replace("\\n5\\n", "\\n6\\n")),
    "with a signature that was changed": (path, text) => writeFile(path, text.replace(/(.{8})(\\n",)/, "AAAAAAAA$2")),
    "without a checkpoint": (path, text) => writeFile(path, text.replace(/"checkpoint":"[^"]*"/, '"checkpoint":""')),
    "that is empty": (path) => writeFile(path, ""),
    "that is no JSON object": (path) => writeFile(path, "null"),
    "that is larger than any that is written": (path, text) => writeFile(path, text + " ".repeat(200_000)),
    "that others can change": (path) => chmod(path, 0o666),
    "in a folder that others can change": (path) => chmod(join(path, ".."), 0o777),
    "that is a link": async (path, text) => {
      await rm(path);
      await writeFile(join(home, "elsewhere"), text);
      await symlink(join(home, "elsewhere"), path);
    },
    "under the name of a larger size": (path, text) => writeFile(path.replace("05.json", "06.json"), text),
  };
  test.each(Object.keys(attacks))("%s is refused with its path, neither believed nor dropped", async (name) => {
    const log = await ShownLog.open();
    await log.grow(4);
    await memory().meet(sight(log));
    const path = await file();
    await attacks[name]?.(path, await readFile(path, "utf8"));
    const damage = expect.objectContaining({
      code: "FEMTO_KNOWN_LOG_DAMAGED",
      message: expect.stringContaining(await folder()),
    });
    await expect(memory().remembered()).rejects.toEqual(damage);
    await expect(memory().meet(sight(log))).rejects.toEqual(damage);
    await expect(memory().meet(sight(await ShownLog.open()))).rejects.toEqual(damage);
  });
});

describe("a log that was announced to take the place of the known one", () => {
  const OLD_PLACE = "/somewhere/state/epochs/1";
  const oldMemory = (): LogMemory =>
    new LogMemory({ environment: { XDG_STATE_HOME: home }, place: OLD_PLACE, warn: (reason) => warnings.push(reason) });

  async function announced(): Promise<{ readonly old: ShownLog; readonly next: ShownLog }> {
    const [old, next] = [await ShownLog.open(), await ShownLog.open()];
    await old.grow(9);
    const { now } = await memory().meet(sight(old));
    const { first_key: nextKey } = await next.show(null);
    await memory().announce({
      before: now.firstKey,
      next: nextKey,
      oldPlace: OLD_PLACE,
      beginsWith: (seen) => beginsWith(old.journal, seen),
    });
    return { old, next };
  }

  test("is taken at first sight, though it is shorter, and held to from then on", async () => {
    const { old, next } = await announced();
    expect(await memory().meet(sight(next))).toMatchObject({ before: null, now: { size: 1 } });
    await next.grow(3);
    expect(await memory().meet(sight(next))).toMatchObject({ before: { size: 1 }, now: { size: 4 } });
    await expect(memory().meet(sight(old))).rejects.toMatchObject({ code: "FEMTO_LOG_ROLLED_BACK" });
    expect(await oldMemory().meet(sight(old))).toMatchObject({ before: { size: 10 } });
  });

  test("leaves the known one known until it is there", async () => {
    const { old } = await announced();
    expect(await memory().meet(sight(old))).toMatchObject({ before: { size: 10 }, now: { size: 10 } });
  });

  test("is the only one that is let in", async () => {
    await announced();
    const other = await ShownLog.open();
    await other.grow(20);
    await expect(memory().meet(sight(other))).rejects.toMatchObject({ code: "FEMTO_LOG_ROLLED_BACK" });
  });

  test("by a key that the known log did not begin with is not let in", async () => {
    const [old, next] = [await ShownLog.open(), await ShownLog.open()];
    await memory().meet(sight(old));
    const { first_key: nextKey } = await next.show(null);
    await memory().announce({
      before: nextKey,
      next: nextKey,
      oldPlace: OLD_PLACE,
      beginsWith: async () => true,
    });
    await expect(memory().meet(sight(next))).rejects.toMatchObject({ code: "FEMTO_LOG_ROLLED_BACK" });
    expect(warnings).toEqual([]);
  });

  test("after something of the known one was lost is not let in", async () => {
    const [old, next] = [await ShownLog.open(), await ShownLog.open()];
    await old.journal.checkpoint();
    const older = await ShownLog.open(old.copy(), old.keyring);
    await old.grow(9);
    const { now } = await memory().meet(sight(old));
    const { first_key: nextKey } = await next.show(null);
    await memory().announce({
      before: now.firstKey,
      next: nextKey,
      oldPlace: OLD_PLACE,
      beginsWith: (seen) => beginsWith(older.journal, seen),
    });
    await expect(memory().meet(sight(next))).rejects.toMatchObject({ code: "FEMTO_LOG_ROLLED_BACK" });
  });

  test("that somebody else could have written down is refused", async () => {
    const { next } = await announced();
    await chmod(join(await folderOfPlace(), "successor.vkey"), 0o666);
    await expect(memory().meet(sight(next))).rejects.toMatchObject({ code: "FEMTO_KNOWN_LOG_DAMAGED" });
  });

  async function folderOfPlace(): Promise<string> {
    const known = join(home, "femtoclaw", "known-logs");
    for (const name of await readdir(known)) {
      if ((await readdir(join(known, name))).includes("successor.vkey")) return join(known, name);
    }
    throw new Error("nothing is announced");
  }
});
