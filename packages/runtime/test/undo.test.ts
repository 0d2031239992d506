/** What file capabilities did, taken back through a real runtime: once, after a restart, and never over anything else. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { LIMITS, type Reply, validateRecord } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { call, type Home, ofType, recordsOf, type StartOptions, temporaryHome } from "./runtime-fixture.ts";

const FILES = ["fs_write", "fs_edit", "fs_delete", "fs_move", "fs_mkdir", "fs_read"];
const enabled = Object.fromEntries(FILES.map((name) => [name, true as const]));
const OPTIONS: StartOptions = {
  configuration: { capabilities: enabled, allow: { read: ["out"], write: ["out"] } },
};
/** Shaped like a secret that is found by its look. */
const TOKEN = `ghp_${"a1B2".repeat(9)}`;

async function started(home: Home, options: StartOptions = OPTIONS): Promise<Runtime> {
  const runtime = await home.start(options);
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return runtime;
}

function homeWithFiles(): Home {
  const home = temporaryHome();
  mkdirSync(join(home.root, "out/full"), { recursive: true });
  writeFileSync(join(home.root, "out/file"), "before");
  writeFileSync(join(home.root, "out/full/inner"), "inner");
  return home;
}

const at = (home: Home, name: string): string => join(home.root, "out", name);

async function done(runtime: Runtime, tool: string, args: Record<string, unknown>): Promise<Reply> {
  await using session = runtime.openSession({ channel: "agent" });
  const reply = await session.propose(call(tool, args));
  expect(reply, JSON.stringify(reply)).toMatchObject({ status: "completed" });
  return reply;
}

/** Everything below the folder, and what it holds. */
function picture(home: Home): Record<string, string> {
  const names = readdirSync(join(home.root, "out"), { recursive: true, encoding: "utf8" }) as string[];
  return Object.fromEntries(
    names.sort().map((name) => {
      const found = statSync(at(home, name));
      return [name, found.isFile() ? `${found.mode.toString(8)} ${readFileSync(at(home, name), "base64")}` : "folder"];
    }),
  );
}

const CHANGES: readonly (readonly [title: string, tool: string, args: (home: Home) => Record<string, unknown>])[] = [
  ["a new file", "fs_write", (home) => ({ path: at(home, "new"), content: "x", mode: "create" })],
  ["a new empty file", "fs_write", (home) => ({ path: at(home, "new"), content: "", mode: "append" })],
  ["an overwritten file", "fs_write", (home) => ({ path: at(home, "file"), content: "after", mode: "overwrite" })],
  ["an addition", "fs_write", (home) => ({ path: at(home, "file"), content: "+after", mode: "append" })],
  ["an edit", "fs_edit", (home) => ({ path: at(home, "file"), old: "for", new: "hind" })],
  ["a deleted file", "fs_delete", (home) => ({ path: at(home, "file") })],
  ["a moved file", "fs_move", (home) => ({ from: at(home, "file"), to: at(home, "full/moved") })],
  ["a moved folder", "fs_move", (home) => ({ from: at(home, "full"), to: at(home, "moved") })],
  ["a new folder", "fs_mkdir", (home) => ({ path: at(home, "folder") })],
];

describe("an undo", () => {
  it.each(CHANGES)("takes back %s, by a call of its own, once", async (_, tool, args) => {
    const home = homeWithFiles();
    const runtime = await started(home);
    const before = picture(home);
    const reply = await done(runtime, tool, args(home));
    expect(picture(home)).not.toEqual(before);
    const undone = await runtime.undo(reply.execution_id);
    expect(undone, JSON.stringify(undone)).toMatchObject({ status: "completed", decision: "AUTHORIZED" });
    expect(undone.policy?.rules).toEqual(["toml/allow.write/1"]);
    expect(picture(home)).toEqual(before);
    const again = await runtime.undo(reply.execution_id);
    expect(again).toMatchObject({ status: "error", decision: "AUTHORIZED", error: { error_type: "CapabilityError" } });
    expect(again.error?.code).toMatch(/^FEMTO_FILE_(CHANGED|EXISTS|NOT_FOUND)$/);
    expect(picture(home)).toEqual(before);
    const records = await recordsOf(runtime.reader);
    expect(records.filter((record) => !validateRecord(record))).toEqual([]);
    const undoing = ofType(records, "execution.intent").filter(({ execution }) => execution === undone.execution_id);
    expect(undoing).toMatchObject([
      { actor: { channel: "operator" }, body: { label: `undo of ${reply.execution_id}` } },
    ]);
  });

  it.each(CHANGES.filter(([title]) => title.includes("file") || title === "an edit"))(
    "leaves %s alone where it is another one by now",
    async (_, tool, args) => {
      const home = homeWithFiles();
      const runtime = await started(home);
      const reply = await done(runtime, tool, args(home));
      // A name that is free again, or a file that changed: whatever the undo would touch is somebody else's now.
      for (const name of ["new", "file", "full/moved"]) {
        if (existsSync(at(home, name))) appendFileSync(at(home, name), "theirs");
        else writeFileSync(at(home, name), "theirs");
      }
      const drifted = picture(home);
      expect((await runtime.undo(reply.execution_id)).error?.code).toMatch(/^FEMTO_FILE_(CHANGED|EXISTS)$/);
      expect(picture(home)).toEqual(drifted);
    },
  );

  it("works after a restart, with bytes, large contents and the mode of what was replaced", async () => {
    const home = homeWithFiles();
    const contents = [Buffer.from([0, 255, 10]), Buffer.alloc(LIMITS.keptBytes, "\u0001ü"), Buffer.from("\ufeffx\r\n")];
    for (const [index, content] of contents.entries()) {
      writeFileSync(at(home, "file"), content);
      chmodSync(at(home, "file"), 0o750);
      const before = picture(home);
      const first = await home.start(OPTIONS);
      const reply = await done(first, "fs_write", { path: at(home, "file"), content: "x", mode: "overwrite" });
      await first.close();
      const second = await home.start(OPTIONS);
      expect(await second.undo(reply.execution_id), String(index)).toMatchObject({ status: "completed" });
      await second.close();
      expect(picture(home)).toEqual(before);
    }
  });

  it("can be undone itself", async () => {
    const home = homeWithFiles();
    const runtime = await started(home);
    const reply = await done(runtime, "fs_delete", { path: at(home, "file") });
    const gone = picture(home);
    const undone = await runtime.undo(reply.execution_id);
    expect(await runtime.undo(undone.execution_id)).toMatchObject({ status: "completed" });
    expect(picture(home)).toEqual(gone);
  });

  it.each(CHANGES)(
    "of an undo brings %s back, and neither touches what somebody else changed since",
    async (_, tool, args) => {
      const home = homeWithFiles();
      const runtime = await started(home);
      const before = picture(home);
      const reply = await done(runtime, tool, args(home));
      const after = picture(home);
      const undone = await runtime.undo(reply.execution_id);
      const again = await runtime.undo(undone.execution_id);
      if (again.status === "completed") {
        expect(picture(home)).toEqual(after);
        expect(await runtime.undo(again.execution_id)).toMatchObject({ status: "completed" });
        expect(picture(home)).toEqual(before);
      }
      // Everything is somebody else's now: each undo of each undo leaves it as it is.
      for (const name of ["new", "file", "full", "moved", "folder"]) {
        rmSync(at(home, name), { recursive: true, force: true });
        symlinkSync(join(home.root, "theirs"), at(home, name));
      }
      writeFileSync(join(home.root, "theirs"), "theirs");
      const theirs = picture(home);
      for (const { execution_id } of [reply, undone, again]) {
        const refused = await runtime.undo(execution_id).catch(({ code }: { code: string }) => ({ error: { code } }));
        expect(refused.error?.code).toMatch(
          /^FEMTO_(FILE_(CHANGED|EXISTS|NOT_FOUND|TYPE)|FACTS_FAILED|UNDO_IMPOSSIBLE)$/,
        );
      }
      expect(picture(home)).toEqual(theirs);
      expect(readFileSync(join(home.root, "theirs"), "utf8")).toBe("theirs");
    },
  );

  it("is decided by the policy and by what is enabled, like any call", async () => {
    const home = homeWithFiles();
    const first = await home.start(OPTIONS);
    const created = await done(first, "fs_write", { path: at(home, "new"), content: "x", mode: "create" });
    const changed = await done(first, "fs_write", { path: at(home, "file"), content: "x", mode: "overwrite" });
    await first.close();
    const before = picture(home);
    const forbidding = {
      capabilities: { fs_write: true as const },
      allow: { write: ["out"] },
      deny: { write: ["out/file"] },
    };
    const second = await home.start({ configuration: forbidding });
    expect(await second.undo(created.execution_id)).toMatchObject({ decision: "DENIED_CAPABILITY_DISABLED" });
    expect(await second.undo(changed.execution_id)).toMatchObject({ decision: "DENIED_POLICY_VIOLATION" });
    await second.close();
    const asking = await started(home, {
      configuration: { ...OPTIONS.configuration, ask: { write: ["out/file"] } },
    });
    expect(await asking.undo(changed.execution_id)).toMatchObject({ status: "pending" });
    expect(picture(home)).toEqual(before);
  });
});

describe("what cannot be undone", () => {
  const reasonOf = async (runtime: Runtime, { execution_id }: Pick<Reply, "execution_id">): Promise<string> => {
    const thrown = await runtime.undo(execution_id).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "FEMTO_UNDO_IMPOSSIBLE" });
    return String((thrown as Error).message);
  };

  it("runs all the same, and its record says why", async () => {
    const home = homeWithFiles();
    const runtime = await started(home);
    const overwrite = (name: string) =>
      done(runtime, "fs_write", { path: at(home, name), content: "x", mode: "overwrite" });
    writeFileSync(at(home, "large"), Buffer.alloc(LIMITS.keptBytes + 1));
    writeFileSync(at(home, "token"), `key: ${TOKEN}\n`);
    writeFileSync(at(home, "binary-token"), Buffer.concat([Buffer.from([0xff, 10]), Buffer.from(`${TOKEN}\n`)]));
    writeFileSync(at(home, "one-name"), "linked");
    linkSync(at(home, "one-name"), at(home, "linked"));
    for (const [name, lost, reason] of [
      ["large", "large", "too large"],
      ["token", "secret", "secret"],
      ["binary-token", "secret", "secret"],
      ["linked", "linked", "several names"],
    ] as const) {
      const reply = await overwrite(name);
      expect(await reasonOf(runtime, reply)).toContain(reason);
      const intent = ofType(await recordsOf(runtime.reader), "execution.intent").at(-1);
      expect(intent?.body.kept).toMatchObject([{ path: at(home, name), lost }]);
      expect(intent?.body.kept?.[0]).not.toHaveProperty("content");
    }
    const all = JSON.stringify(await recordsOf(runtime.reader));
    expect(all).not.toContain(TOKEN);
    expect(all).not.toContain(Buffer.from(TOKEN).toString("base64").slice(4, 40));
    const folders = await done(runtime, "fs_mkdir", { path: at(home, "a/b/c"), parents: true });
    expect(await reasonOf(runtime, folders)).toContain("more than one folder");
    expect(await reasonOf(runtime, await done(runtime, "fs_read", { path: at(home, "file") }))).toContain(
      "nothing was kept",
    );
  });

  it("is what lies in a secret place, whatever it looks like, but a move out of it is taken back", async () => {
    const home = homeWithFiles();
    const secret = { ...OPTIONS.configuration, sensitive: { secret: ["out/full"] } };
    const runtime = await started(home, { configuration: secret });
    writeFileSync(at(home, "full/plain"), "the words of nobody else");
    for (const [tool, args] of [
      ["fs_edit", { path: at(home, "full/plain"), old: "nobody", new: "somebody" }],
      ["fs_delete", { path: at(home, "full/plain") }],
    ] as const) {
      expect(await reasonOf(runtime, await done(runtime, tool, args))).toContain("secret");
    }
    expect(JSON.stringify(await recordsOf(runtime.reader))).not.toContain("the words of");
    const moved = await done(runtime, "fs_move", { from: at(home, "full/inner"), to: at(home, "inner") });
    expect(await runtime.undo(moved.execution_id)).toMatchObject({ status: "completed" });
    expect(readFileSync(at(home, "full/inner"), "utf8")).toBe("inner");
  });

  it("is what stands under a name that no record holds", async () => {
    const home = homeWithFiles();
    const runtime = await started(home);
    const reply = await done(runtime, "fs_write", { path: at(home, TOKEN), content: "x", mode: "create" });
    expect(await reasonOf(runtime, reply)).toContain("looked like a secret");
    expect(existsSync(at(home, TOKEN))).toBe(true);
  });

  it("is a row of folders whose names are longer than a record", async () => {
    const home = homeWithFiles();
    const runtime = await started(home);
    const names = Array.from({ length: 40 }, (_, index) => `${index}-`.padEnd(90, "x"));
    const reply = await done(runtime, "fs_mkdir", { path: at(home, names.join("/")), parents: true });
    expect(reply.result).toEqual({ created: 40 });
    const intent = ofType(await recordsOf(runtime.reader), "execution.intent").at(-1);
    expect(intent?.body.kept).toBeNull();
    expect(await reasonOf(runtime, reply)).toContain("more than one folder");
  });

  it("is what was refused, what failed, and what nobody knows", async () => {
    const home = homeWithFiles();
    const runtime = await started(home);
    await using session = runtime.openSession({ channel: "agent" });
    const refused = await session.propose(call("fs_delete", { path: join(home.root, "state") }));
    expect(await reasonOf(runtime, refused)).toContain("denied");
    const failed = await session.propose(call("fs_edit", { path: at(home, "file"), old: "zzz", new: "" }));
    expect(await reasonOf(runtime, failed)).toContain("did not end well");
    await expect(runtime.undo("nobody")).rejects.toMatchObject({ code: "FEMTO_EXECUTION_NOT_FOUND" });
  });

  it("is what was erased, also after a restart", async () => {
    const home = homeWithFiles();
    writeFileSync(at(home, "file"), "long ".repeat(2_000));
    const first = await home.start(OPTIONS);
    const reply = await done(first, "fs_delete", { path: at(home, "file") });
    const intent = ofType(await recordsOf(first.reader), "execution.intent").at(-1);
    expect(intent).toMatchObject({ commitments: [{ path: "/kept/0/content", form: "text", kept: true }] });
    await first.retention.erase({ seq: intent?.seq ?? -1, reason: "a person asked for it" }, "uid:0");
    expect(await reasonOf(first, reply)).toContain("not kept any more");
    await first.close();
    expect(await reasonOf(await started(home), reply)).toContain("not kept any more");
    expect(existsSync(at(home, "file"))).toBe(false);
  });

  it("is an addition that somebody else's stands among", async () => {
    const home = homeWithFiles();
    const runtime = await started(home);
    const adding = Array.from({ length: 8 }, (_, who) =>
      done(runtime, "fs_write", { path: at(home, "file"), content: `${who}`, mode: "append" }),
    );
    const replies = await Promise.all(adding);
    const all = readFileSync(at(home, "file"), "utf8");
    expect([...all.slice("before".length)].sort().join("")).toBe("01234567");
    for (const reply of replies) {
      const { status } = await runtime.undo(reply.execution_id);
      // At most the last one is exactly what its execution left.
      if (status === "completed") expect(readFileSync(at(home, "file"), "utf8")).toBe(all.slice(0, -1));
      else expect(readFileSync(at(home, "file"), "utf8").startsWith(all.slice(0, -1))).toBe(true);
    }
  });

  it("keeps the same file where only its time was changed from that of the move", async () => {
    const home = homeWithFiles();
    const runtime = await started(home);
    const reply = await done(runtime, "fs_move", { from: at(home, "file"), to: at(home, "moved") });
    utimesSync(at(home, "moved"), 1, 1);
    expect(await runtime.undo(reply.execution_id)).toMatchObject({ error: { code: "FEMTO_FILE_CHANGED" } });
  });
});

// Whoever may do less than the operator must not choose by a link what is changed with the operator's rights.
describe("while a folder on the way is another one by now", () => {
  it.each<[string, string, Record<string, unknown>]>([
    ["an overwritten file", "fs_write", { path: "out/d/written", content: "same", mode: "overwrite" }],
    ["an edit", "fs_edit", { path: "out/d/written", old: "theirs", new: "same" }],
    ["a deleted file", "fs_delete", { path: "out/d/deleted" }],
    ["a deleted folder", "fs_delete", { path: "out/d/folder" }],
    ["a move out of it", "fs_move", { from: "out/d/moved", to: "out/moved" }],
    ["a move into it", "fs_move", { from: "out/into", to: "out/d/into" }],
    ["a new file", "fs_write", { path: "out/d/new", content: "x", mode: "create" }],
  ])("%s is not taken back through the link", async (_, tool, args) => {
    const home = temporaryHome();
    const place = (name: string): string => join(home.root, name);
    for (const folder of ["out/d/folder", "workspace/out", "operators"]) mkdirSync(place(folder), { recursive: true });
    for (const name of ["d/written", "d/deleted", "d/moved", "into"]) writeFileSync(at(home, name), "theirs");
    writeFileSync(place("operators/written"), "same");
    const runtime = await started(home, {
      configuration: {
        capabilities: enabled,
        allow: { read: ["out", "operators"], write: ["out", "operators"] },
        agent: { narrow: { allow: { read: ["out"], write: ["out"] } } },
      },
    });
    await using session = runtime.openSession({ channel: "agent", principal: "narrow" });
    const absolute = Object.entries(args).map(([key, value]) => [
      key,
      ["path", "from", "to"].includes(key) ? place(String(value)) : value,
    ]);
    const reply = await session.propose(call(tool, Object.fromEntries(absolute)));
    expect(reply, JSON.stringify(reply)).toMatchObject({ status: "completed" });
    renameSync(at(home, "d"), at(home, "aside"));
    // What was created is known by its inode, which a second name has, too.
    if (existsSync(at(home, "aside/new"))) linkSync(at(home, "aside/new"), place("operators/new"));
    symlinkSync(place("operators"), at(home, "d"));
    const [before, beside] = [readdirSync(place("operators")), readdirSync(at(home, "."))];
    const undone = await runtime.undo(reply.execution_id);
    expect(undone.error, JSON.stringify(undone)).toMatchObject({ code: "FEMTO_FILE_CHANGED" });
    expect([readdirSync(place("operators")), readdirSync(at(home, "."))]).toEqual([before, beside]);
    expect(readFileSync(place("operators/written"), "utf8")).toBe("same");
    // Where the folder is back, so is what was changed in it.
    rmSync(at(home, "d"));
    renameSync(at(home, "aside"), at(home, "d"));
    expect(await runtime.undo(reply.execution_id)).toMatchObject({ status: "completed" });
  });
});
