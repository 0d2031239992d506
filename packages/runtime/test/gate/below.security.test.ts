/** Calls about everything below a folder, through a real gate: each path there is decided on like a call that names it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  call,
  capability,
  type Home,
  ofType,
  recordsOf,
  type StartOptions,
  temporaryHome,
} from "../runtime-fixture.ts";

const CONFIGURATION: Configuration = {
  workspace: ".",
  capabilities: { fs_list: true, fs_search: true, fs_move: true },
  allow: { read: ["."] },
};

function homeWithTree(): Home {
  const home = temporaryHome();
  for (const name of ["open", "closed", "asked", "keys", "strangers"]) {
    mkdirSync(join(home.root, name));
    writeFileSync(join(home.root, name, `in-${name}`), "needle");
  }
  return home;
}

async function started(home: Home, configuration: Configuration, options: StartOptions = {}): Promise<Runtime> {
  const runtime = await home.start({ configuration: { ...CONFIGURATION, ...configuration }, ...options });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return runtime;
}

const LIST = call("fs_list", { path: ".", recursive: true });
const SEARCH = call("fs_search", { path: ".", pattern: "needle" });

/** The files that a principal is shown below the folder; both ways have to agree. */
async function shown(runtime: Runtime, principal?: string): Promise<string[]> {
  await using session = runtime.openSession({ channel: "agent", ...(principal === undefined ? {} : { principal }) });
  const listed = (await session.propose(LIST)).result?.["entries"] as { name: string; type: string }[];
  const found = (await session.propose(SEARCH)).result?.["matches"] as { name: string }[];
  const files = listed.filter(({ type, name }) => type === "file" && name.includes("/in-")).map(({ name }) => name);
  expect(found.map(({ name }) => name)).toEqual(files);
  return files.map((name) => name.slice(0, name.indexOf("/")));
}

describe("below a folder", () => {
  it("nothing is shown that is denied, asked for, secret, or FemtoClaw's own", async () => {
    const runtime = await started(homeWithTree(), {
      deny: { read: ["closed"] },
      ask: { read: ["asked"] },
      sensitive: { secret: ["keys"] },
    });
    expect(await shown(runtime)).toEqual(["open", "strangers"]);
    await using session = runtime.openSession({ channel: "agent" });
    const said = JSON.stringify(await session.propose(LIST));
    for (const name of ["closed", "asked", "keys", "state", "journal"]) expect(said).not.toContain(`"${name}`);
  });

  it("an agent is shown what its own tables leave it", async () => {
    const runtime = await started(homeWithTree(), {
      agent: { narrow: { deny: { read: ["closed"] }, ask: { read: ["asked"] } } },
    });
    expect(await shown(runtime, "narrow")).toEqual(["keys", "open", "strangers"]);
    expect(await shown(runtime)).toEqual(["asked", "closed", "keys", "open", "strangers"]);
  });

  it("a yes is to what was asked, and to nothing else that asks below", async () => {
    const home = homeWithTree();
    mkdirSync(join(home.root, "asked/more"));
    writeFileSync(join(home.root, "asked/more/in-more"), "needle");
    const runtime = await started(home, { ask: { read: ["asked", "asked/more"] } });
    const session = runtime.openSession({ channel: "agent" });
    const pending = await session.propose(call("fs_list", { path: "asked", recursive: true }));
    expect(pending).toMatchObject({
      status: "pending",
      policy: { rules: ["toml/ask.read/1", "toml/ask.read/1/granted"] },
    });
    const [question] = await runtime.approvals.list();
    if (question === undefined) throw new Error("nothing is asked");
    const { id, digest } = question;
    await runtime.approvals.answer({ id, digest, answer: "granted", scope: "once", by: "uid:0" });
    const reply = await session.wait(pending.execution_id);
    expect(reply.result?.["entries"]).toEqual([{ name: "in-asked", type: "file", bytes: 6 }]);
  });

  it("what strangers wrote marks who may have seen it, and what is secret marks who names it", async () => {
    const sensitive = { secret: ["keys"], untrusted: ["strangers"] };
    for (const [message, marks] of [
      [LIST, ["seen_untrusted"]],
      [SEARCH, ["seen_untrusted"]],
      [call("fs_search", { path: "open", pattern: "needle" }), undefined],
      [call("fs_list", { path: "." }), undefined],
      [call("fs_list", { path: "keys", recursive: true }), ["read_secret"]],
    ] as const) {
      const runtime = await started(homeWithTree(), { sensitive });
      await using session = runtime.openSession({ channel: "agent" });
      expect(await session.propose(message)).toMatchObject({ status: "completed" });
      const [intent] = ofType(await recordsOf(runtime.reader), "execution.intent");
      expect(intent?.body.marks, JSON.stringify(message)).toEqual(marks);
    }
  });

  it("a folder that holds a secret place is not moved by its parent", async () => {
    const home = homeWithTree();
    mkdirSync(join(home.root, "open/keys"));
    const runtime = await started(home, { allow: { write: ["open", "closed"] }, sensitive: { secret: ["open/keys"] } });
    mkdirSync(join(home.root, "open/other"));
    await using session = runtime.openSession({ channel: "agent" });
    const move = (from: string) => session.propose(call("fs_move", { from, to: "closed/moved" }));
    expect(await move("open")).toMatchObject({ error: { code: "FEMTO_CAPABILITY_FAILED" } });
    expect(await move("open/other")).toMatchObject({ status: "completed" });
  });

  it("a walk ends when another policy comes into force", async () => {
    const home = homeWithTree();
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const walker = capability(
      "walker",
      async ({ bound, mayReach }) => {
        const { path } = bound.path("/text");
        const first = mayReach(join(path, "in-open"), "file");
        reached.resolve();
        await goOn.promise;
        return { first, second: mayReach(join(path, "in-open"), "file") };
      },
      { arguments: [{ pointer: "/text", kind: "path", access: "list", recursive: true }], effect: "read" },
    );
    const base = { ...CONFIGURATION, capabilities: { fs_list: true, walker: true } };
    const runtime = await home.start({ configuration: base, capabilities: [walker], permit: [] });
    onTestFinished(() => runtime.close({ drainMs: 0 }));
    await using session = runtime.openSession({ channel: "agent" });
    const reply = session.propose(call("walker", { text: "open" }));
    await reached.promise;
    await runtime.reload({ configuration: home.configuration({ ...base, deny: { read: ["closed"] } }) }, "uid:0");
    goOn.resolve();
    const { status, error } = await reply;
    expect({ status, code: error?.code }).toEqual({ status: "error", code: "FEMTO_CAPABILITY_CONTAINED" });
    expect(error?.reason).toContain("another policy came into force");
  });
});
