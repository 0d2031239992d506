/** Copies, backups and tampered identities: the same log is never continued in two places, and nobody is locked out. */
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { verifyDirectory } from "@femtoclaw/journal";
import { type LogEntry, listExecutions, type Runtime, type RuntimeStatus, replay } from "@femtoclaw/runtime";
import { copyState } from "@femtoclaw/testing";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  Barrier,
  call,
  capability,
  Home,
  ofType,
  recordsOf,
  type StartOptions,
  temporaryHome,
} from "../runtime-fixture.ts";

const quick = capability("quick");
const capabilities = [quick];

/** One life in the home. */
async function live(home: Home, options: StartOptions = {}, during?: (runtime: Runtime) => Promise<unknown>) {
  const runtime = await home.start({ capabilities, ...options });
  try {
    await during?.(runtime);
    return { status: runtime.status(), records: await recordsOf(runtime.reader) };
  } finally {
    await runtime.close();
  }
}

async function homeWithLog(): Promise<{ home: Home; before: RuntimeStatus }> {
  const home = temporaryHome();
  const { status } = await live(home, {}, async (runtime) => {
    await runtime.openSession({ channel: "library" }).propose(call("quick", { n: 1 }));
  });
  return { home, before: status };
}

const identityOf = (home: Home): string => join(home.state, "identity");

/** Puts a copy in the place of the state directory. */
function replaceByCopy(home: Home): void {
  const original = join(home.root, "original");
  renameSync(home.state, original);
  copyState(original, home.state, { preserveTimestamps: true });
}

describe("a state directory", () => {
  it("goes on with its log, start after start, wherever it is moved", async () => {
    const { home, before } = await homeWithLog();
    expect(before.parent).toBeNull();
    const second = await live(home);
    renameSync(home.state, join(home.root, "moved"));
    const third = await live(home, { configuration: { memory: { path: "moved" } } });
    for (const { status } of [second, third]) expect(status).toMatchObject({ log: before.log, parent: null });
    expect(third.status.boots).toBe(3);
    expect(existsSync(join(home.root, "moved/epochs"))).toBe(false);
  });

  it("goes on after a start that was cut off before it wrote down its boot", async () => {
    const { home, before } = await homeWithLog();
    const older = join(home.root, "older");
    linkSync(identityOf(home), older);
    await live(home);
    // The very file that stood there before the newer one took its place.
    renameSync(older, identityOf(home));
    expect((await live(home)).status).toMatchObject({ log: before.log, parent: null, boots: 3 });
  });

  const boots = (text: string) => JSON.parse(text) as Record<string, unknown>;
  const tampered: Record<string, (home: Home) => unknown> = {
    gone: (home) => unlinkSync(identityOf(home)),
    empty: (home) => writeFileSync(identityOf(home), ""),
    "no JSON": (home) => writeFileSync(identityOf(home), "{"),
    "another value": (home) => writeFileSync(identityOf(home), "[null]"),
    "without places": (home) => {
      writeFileSync(
        identityOf(home),
        JSON.stringify({ ...boots(readFileSync(identityOf(home), "latin1")), places: {} }),
      );
    },
    "too large": (home) => writeFileSync(identityOf(home), " ".repeat(100_000)),
    "of another machine": (home) => {
      const text = readFileSync(identityOf(home), "latin1");
      writeFileSync(identityOf(home), text.replace(/"machine":(?:null|"[0-9a-f]+")/, `"machine":"${"0".repeat(64)}"`));
    },
    "a file that was put back": (home) => {
      const text = readFileSync(identityOf(home));
      renameSync(identityOf(home), join(home.root, "aside"));
      writeFileSync(identityOf(home), text, { mode: 0o600 });
    },
  };
  it.each(Object.keys(tampered))("whose identity is %s goes on in a new log, and the old one stands", async (what) => {
    const { home, before } = await homeWithLog();
    tampered[what]?.(home);
    const log: LogEntry[] = [];
    const { status } = await live(home, { log: (entry) => log.push(entry) });
    expect(status.parent).toMatchObject({ origin: before.log });
    expect(status.log).not.toBe(before.log);
    expect(log).toContainEqual(expect.objectContaining({ event: "epoch.opened", parent: before.log }));
    expect((await live(home)).status).toMatchObject({ log: status.log, boots: 2 });
    expect(await verifyDirectory(join(home.state, "epochs/1/journal"))).toMatchObject({ verdict: "verified" });
    expect(readdirSync(join(home.state, "epochs"))).toEqual(["1"]);
  });

  it.each([
    ["a link", "FEMTO_STATE_OWNER", (path: string) => symlinkSync("../elsewhere", path)],
    ["a folder", "FEMTO_STATE_OWNER", (path: string) => mkdirSync(path)],
  ])("whose identity is %s is not used", async (_what, code, put) => {
    const { home, before } = await homeWithLog();
    const path = identityOf(home);
    renameSync(path, join(home.root, "elsewhere"));
    put(path);
    await expect(live(home)).rejects.toMatchObject({ code });
    rmSync(path, { recursive: true });
    // Nobody is locked out: put back as it was, it is the one that it was.
    renameSync(join(home.root, "elsewhere"), path);
    expect((await live(home)).status).toMatchObject({ log: before.log, parent: null });
  });

  it("whose identity is of a later format is left to the version that wrote it", async () => {
    const { home, before } = await homeWithLog();
    const text = readFileSync(identityOf(home), "latin1");
    writeFileSync(identityOf(home), text.replace('"v":1', '"v":2'));
    await expect(live(home)).rejects.toMatchObject({ code: "FEMTO_JOURNAL_FORMAT" });
    writeFileSync(identityOf(home), text);
    expect((await live(home)).status).toMatchObject({ log: before.log, parent: null });
  });

  it("whose identity others could have read is used once its mode is set right", async () => {
    const { home, before } = await homeWithLog();
    chmodSync(identityOf(home), 0o644);
    await expect(live(home)).rejects.toMatchObject({ code: "FEMTO_STATE_MODE" });
    chmodSync(identityOf(home), 0o600);
    expect((await live(home)).status).toMatchObject({ log: before.log, parent: null });
  });
});

describe("a copy", () => {
  it("that starts while the original runs goes on beside it in a log of its own", async () => {
    const { home, before } = await homeWithLog();
    const original = await home.start({ capabilities });
    onTestFinished(() => original.close());
    copyState(home.state, join(home.root, "copy"));
    const copy = await home.start({ capabilities, configuration: { memory: { path: "copy" } } });
    onTestFinished(() => copy.close());
    for (const runtime of [original, copy]) {
      const reply = await runtime.openSession({ channel: "library" }).propose(call("quick"));
      expect(reply.status).toBe("completed");
    }
    expect(original.status()).toMatchObject({ log: before.log, parent: null });
    expect(copy.status().parent).toMatchObject({ origin: before.log, reason: "copy" });
    expect((await copy.checkpoint()).startsWith(copy.status().log)).toBe(true);
  });

  it("takes over what waits for a word, and nothing that was granted", async () => {
    const home = temporaryHome();
    const barrier = new Barrier(2);
    let effects = 0;
    const waits = capability("waits", async () => {
      effects += 1;
      await barrier.arrive();
      return {};
    });
    const names = { locked: capability("locked"), granted: capability("granted"), taken: capability("taken") };
    const all = { capabilities: [waits, ...Object.values(names)], configuration: { capabilities: {} } };
    const first = await home.start(all);
    await first.switchCapability({ name: "taken", enabled: false, by: "uid:0" });
    await first.switchCapability({ name: "fs_list", enabled: true, by: "uid:0" });
    const session = first.openSession({ channel: "agent" });
    const running = [1, 2].map((n) => session.propose(call("waits", { n })));
    await barrier.reached;
    const open = [...first.projection.open];
    copyState(home.state, join(home.root, "copy"));
    barrier.open();
    await Promise.all(running);
    await first.close();

    const configuration = { ...all.configuration, memory: { path: "copy" } };
    const copy = await home.start({ ...all, configuration });
    const enabled = new Map(copy.capabilities().map((each) => [each.name, each.enabled]));
    expect([enabled.get("taken"), enabled.get("fs_list"), enabled.get("granted")]).toEqual([false, false, true]);
    expect(copy.status()).toMatchObject({ unresolved: 2, counters: { interrupted: 0 } });
    const inherited = ofType(await recordsOf(copy.reader), "execution.inherited");
    expect(inherited.map(({ execution, session: of, body }) => [execution, of, body])).toEqual(
      open.map(([execution, { intent, tool }]) => [execution, session.id, { record: intent, tool }]),
    );
    const views = await listExecutions(copy.reader, { limit: 9, status: "interrupted" });
    expect(views).toMatchObject([{ tool: "waits" }, { tool: "waits" }]);
    const [[id = ""] = []] = open;
    await copy.resolveExecution({ execution: id, resolution: "done", reason: "counted", by: "uid:0" });
    await expect(
      copy.resolveExecution({ execution: id, resolution: "done", reason: "counted", by: "uid:0" }),
    ).rejects.toMatchObject({ code: "FEMTO_EXECUTION_NOT_UNRESOLVED" });
    await copy.close();
    expect(effects).toBe(2);
    // The copy of a copy takes over what is still open, and the one that was resolved no more.
    copyState(join(home.root, "copy"), join(home.root, "again"));
    const again = await home.start({ ...all, configuration: { ...configuration, memory: { path: "again" } } });
    expect([...again.projection.unresolved.keys()]).toEqual([open[1]?.[0]]);
    expect(readdirSync(join(home.root, "again/epochs")).sort()).toEqual(["1", "2"]);
    expect((await replay(again.reader)).projection.unresolved.size).toBe(1);
    await again.close();
  });

  it("of links to the same files leaves the original its key and its bytes", async () => {
    const { home, before } = await homeWithLog();
    const copy = join(home.root, "copy");
    for (const name of readdirSync(home.state, { recursive: true, withFileTypes: true })) {
      const to = join(copy, name.parentPath.slice(home.state.length), name.name);
      mkdirSync(name.isDirectory() ? to : join(to, ".."), { recursive: true, mode: 0o700 });
      if (name.isFile()) linkSync(join(name.parentPath, name.name), to);
    }
    const { status } = await live(home, { configuration: { memory: { path: "copy" } } });
    expect(status.parent).toMatchObject({ origin: before.log });
    expect((await live(home)).status).toMatchObject({ log: before.log });
    expect(await verifyDirectory(join(home.state, "journal"))).toMatchObject({ verdict: "verified" });
  });

  it("that was tampered with is not gone on from, and stays as evidence", async () => {
    const { home } = await homeWithLog();
    replaceByCopy(home);
    const file = readdirSync(join(home.state, "journal")).find((name) => /\.(?:log|ldb)$/.test(name)) ?? "";
    const path = join(home.state, "journal", file);
    const bytes = readFileSync(path);
    bytes[bytes.indexOf("quick")] = 0x51;
    writeFileSync(path, bytes);
    await expect(live(home)).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readdirSync(join(home.state, "keys"))).toEqual(["log.pem"]);
    expect(existsSync(join(home.state, "epochs"))).toBe(false);
  });

  it("is left as it is when the one who has to hear of the new log refuses", async () => {
    const { home, before } = await homeWithLog();
    replaceByCopy(home);
    const onEpoch = () => Promise.reject(new Error("the pin cannot be written"));
    await expect(live(home, { onEpoch })).rejects.toThrow("the pin cannot be written");
    expect(readdirSync(join(home.state, "keys"))).toEqual(["log.pem"]);
    expect(readdirSync(join(home.state, "epochs"))).toEqual([]);
    expect((await live(home)).status.parent).toMatchObject({ origin: before.log, reason: "copy" });
    expect(readdirSync(join(home.state, "epochs"))).toEqual(["1"]);
  });

  it("that two start at once is opened by one of them", async () => {
    const { home, before } = await homeWithLog();
    replaceByCopy(home);
    const starts = await Promise.allSettled([1, 2, 3].map(() => home.start({ capabilities })));
    const started = starts.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    for (const runtime of started) await runtime.close();
    expect(started).toHaveLength(1);
    const refused = starts.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    expect(refused.map(({ code }) => code)).toEqual(refused.map(() => "FEMTO_JOURNAL_LOCKED"));
    const { status } = await live(home);
    expect(status.parent).toMatchObject({ origin: before.log });
    expect(readdirSync(join(home.state, "epochs"))).toEqual(["1"]);
    expect(await verifyDirectory(join(home.state, "journal"))).toMatchObject({ verdict: "verified" });
  });
});

describe("a journal that was put back", () => {
  it("in the folders that it came from is noticed by the boot that it lacks", async () => {
    const { home, before } = await homeWithLog();
    const putBack = home.losePower();
    await live(home);
    putBack();
    const { status } = await live(home);
    expect(status.parent).toMatchObject({ origin: before.log, reason: "rollback" });
    expect(await verifyDirectory(join(home.state, "epochs/1/journal"))).toMatchObject({ size: status.parent?.size });
    expect((await live(home)).status).toMatchObject({ log: status.log, boots: 2 });
  });

  it("to nothing is no reason to begin another log with its key", async () => {
    const { home, before } = await homeWithLog();
    for (const name of readdirSync(join(home.state, "journal"))) unlinkSync(join(home.state, "journal", name));
    expect((await live(home)).status.log).not.toBe(before.log);
    rmSync(join(home.state, "journal"), { recursive: true });
    unlinkSync(identityOf(home));
    const logs = new Set([before.log, (await live(home)).status.log, (await live(home)).status.log]);
    expect(logs.size).toBe(2);
  });

  it("takes the telemetry's place with it, so that the new log is exported from its beginning", async () => {
    const { home } = await homeWithLog();
    const files = ["telemetry-cursor", "telemetry-cursor-logs", "telemetry-metrics"];
    for (const name of files) writeFileSync(join(home.state, name), "999\n", { mode: 0o600 });
    replaceByCopy(home);
    await live(home);
    for (const name of files) {
      expect(existsSync(join(home.state, name))).toBe(false);
      expect(readFileSync(join(home.state, "epochs/1", name), "latin1")).toBe("999\n");
    }
  });
});

describe("a fork", () => {
  let home: Home;
  beforeAll(async () => {
    home = new Home();
    await live(home, {}, async (runtime) => {
      const session = runtime.openSession({ channel: "library" });
      await session.propose(call("quick"));
    });
    return () => home.remove();
  });

  const places: Record<string, (root: string) => string> = {
    "a link to an empty folder": (root) => {
      mkdirSync(join(root, "target"));
      symlinkSync(join(root, "target"), join(root, "link"));
      return join(root, "link");
    },
    "a link that leads nowhere": (root) => {
      symlinkSync(join(root, "nowhere"), join(root, "dangling"));
      return join(root, "dangling");
    },
    "a folder that holds something": (root) => {
      mkdirSync(join(root, "full"));
      writeFileSync(join(root, "full", "file"), "");
      return join(root, "full");
    },
    "a file": (root) => {
      writeFileSync(join(root, "file"), "");
      return join(root, "file");
    },
    "the state directory itself": (root) => join(root, "state"),
    "a place in the state directory": (root) => join(root, "state/fork"),
    "the state directory by a link": (root) => {
      symlinkSync(join(root, "state"), join(root, "alias"));
      return join(root, "alias", "fork");
    },
    "a folder to which everybody can write": (root) => {
      mkdirSync(join(root, "open"));
      chmodSync(join(root, "open"), 0o777);
      return join(root, "open", "fork");
    },
    "a folder that does not exist": (root) => join(root, "missing", "fork"),
  };
  it.each(Object.keys(places))("is not made in %s, and leaves nothing", async (what) => {
    const out = places[what]?.(home.root) ?? "";
    await live(home, {}, async (runtime) => {
      const before = readdirSync(home.root);
      await expect(runtime.fork(5, out)).rejects.toMatchObject({ code: "FEMTO_FORK_REFUSED" });
      expect(readdirSync(home.root)).toEqual(before);
      expect(existsSync(join(home.state, "epochs"))).toBe(false);
    });
  });

  it.each([-1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER])("is not made from record %d", async (seq) => {
    await live(home, {}, async (runtime) => {
      await expect(runtime.fork(seq, join(home.root, "fork"))).rejects.toMatchObject({ code: "FEMTO_FORK_REFUSED" });
    });
  });

  it("knows of an execution that only later had an outcome as one that nobody knows the outcome of", async () => {
    const out = join(home.root, "earlier");
    const { records } = await live(home, {}, async (runtime) => {
      const [intent] = ofType(await recordsOf(runtime.reader), "execution.intent");
      const { unresolved, parent } = await runtime.fork(intent?.seq ?? 0, out);
      expect({ unresolved, size: parent.size }).toEqual({ unresolved: 1, size: (intent?.seq ?? 0) + 1 });
    });
    const { status, records: forked } = await live(home, { configuration: { memory: { path: "earlier" } } });
    expect(status.unresolved).toBe(1);
    const [intent] = ofType(records, "execution.intent");
    expect(ofType(forked, "execution.inherited")).toMatchObject([
      { execution: intent?.execution, body: { record: intent?.seq } },
    ]);
  });

  it("that was copied goes on in a third log", async () => {
    await live(home, {}, (runtime) => runtime.fork(3, join(home.root, "one")));
    cpSync(join(home.root, "one"), join(home.root, "two"), { recursive: true });
    const one = await live(home, { configuration: { memory: { path: "one" } } });
    const two = await live(home, { configuration: { memory: { path: "two" } } });
    expect(two.status.parent).toMatchObject({ origin: one.status.log, reason: "copy" });
    expect(readdirSync(join(home.root, "two/epochs")).sort()).toEqual(["1", "2"]);
  });
});
