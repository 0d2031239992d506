import type { Authority, FactQuestion } from "@femtoclaw/protocol";
import { beforeAll, describe, expect, it } from "vitest";
import type { Remedy } from "../../src/explaining/narrowest-grant.ts";
import { compilePolicy, NO_HISTORY, PolicyReader, remedyFor } from "../../src/index.ts";
import { policyActions } from "../../src/schema.ts";
import { activeEngine, authorityOf, MANIFESTS, pathFacts, programFacts, word } from "../policy-fixture.ts";

const ACTIONS = policyActions(MANIFESTS);
let reader: PolicyReader;
beforeAll(async () => {
  reader = await PolicyReader.open();
});

async function remedy(capability: string, question: FactQuestion, authority = authorityOf()): Promise<Remedy> {
  const policy = compilePolicy({ authority, manifests: MANIFESTS });
  const action = ACTIONS.find(({ name }) => name === capability);
  if (action === undefined) throw new Error(`there is no ${capability}`);
  const explanation = await reader.explain(policy, { principal: "s", history: NO_HISTORY, capability, question });
  return remedyFor({ question, action, explanation }, authority);
}

const run = (program: string, argv: readonly string[], more = {}) =>
  remedy("process_exec", programFacts(`/usr/bin/${program}`, argv, more));

describe("the narrowest entry", () => {
  it("names the very file, in the table of what the call does", async () => {
    expect(await remedy("fs_read", pathFacts("/ws/a"))).toMatchObject({
      grants: [{ table: "read", path: "/ws/a", note: null, dangerous: false }],
      forbidding: [],
      obstacles: [],
    });
    const missing = pathFacts("/ws/b", { exists: false, type: "missing", bytes: 3 });
    expect((await remedy("fs_write", missing)).grants).toMatchObject([{ table: "write", path: "/ws/b" }]);
  });

  it("says of a folder that everything below it is granted, and of the machine's own that it is dangerous", async () => {
    const folder = (path: string) => remedy("fs_list", pathFacts(path, { type: "directory" }));
    expect((await folder("/ws/src/a")).grants).toMatchObject([{ path: "/ws/src/a", dangerous: false }]);
    for (const path of ["/", "/etc"]) expect((await folder(path)).grants).toMatchObject([{ path, dangerous: true }]);
  });

  it("names word and exact options of a program", async () => {
    expect((await run("git", ["status"])).grants).toMatchObject([
      { table: "run", program: "/usr/bin/git", use: { kind: "word", word: "status", flags: [] }, dangerous: false },
    ]);
    expect((await run("git", ["diff", "--stat", "-U5"])).grants).toMatchObject([
      { use: { word: "diff", flags: ["--stat", "-5", "-U", "-U5"] }, dangerous: false },
    ]);
  });

  it("allows any arguments only where the call has no word, and says why", async () => {
    const [date] = (await run("date", [])).grants;
    expect(date).toMatchObject({ use: { kind: "any", unsafe: false }, dangerous: false });
    expect(date?.note).toContain("no first word");
    expect((await run("git", ["--version"])).grants).toMatchObject([
      { use: { kind: "any", unsafe: true }, dangerous: true },
    ]);
  });

  it("never takes a word for any arguments, and names nothing that an entry cannot hold", async () => {
    for (const word of ["*", ""]) {
      const [grant] = (await run("date", [word])).grants;
      expect(grant).toMatchObject({ use: { kind: "any", unsafe: false } });
      expect(grant?.note).toContain("any arguments");
    }
    for (const argv of [["x".repeat(257)], ["x", ...Array.from({ length: 65 }, (_, at) => `--f${at}`)]]) {
      expect(await run("date", argv)).toMatchObject({ grants: [], obstacles: [expect.stringContaining("an entry")] });
    }
  });

  it.each([
    ["bash", ["-c", "id"]],
    ["sh", ["script.sh"]],
    ["python3", ["x.py"]],
    ["env", ["bash"]],
    ["xargs", ["rm"]],
    ["find", [".", "-exec", "id"]],
    ["git", ["grep", "-O", "x"]],
    ["tar", ["x", "--to-command=id"]],
    ["sort", ["a", "--compress-program=id"]],
  ])("is dangerous for %s %j, and a shell or interpreter is never allowed without `unsafe`", async (program, argv) => {
    const { grants } = await run(program, argv);
    expect(grants).not.toEqual([]);
    for (const grant of grants) {
      expect(grant.dangerous).toBe(true);
      expect(grant.note).not.toBeNull();
      if (grant.table === "run" && grant.use.kind === "any") expect(grant.use.unsafe).toBe(true);
    }
  });

  it("sees a shell behind the name of another program", async () => {
    expect((await run("safe", ["x"], { real_path: "/usr/bin/bash" })).grants).toMatchObject([
      { dangerous: true, use: { unsafe: true } },
    ]);
  });
});

describe("what is forbidden", () => {
  it("is left to the operator where an entry forbids it, and told with what is missing besides", async () => {
    const authority = authorityOf({ denyRead: ["/ws/secrets"] });
    expect(await remedy("fs_read", pathFacts("/ws/secrets/k"), authority)).toMatchObject({
      forbidding: ["toml/deny.read/1"],
      grants: [{ path: "/ws/secrets/k" }],
    });
  });

  it("stays so for FemtoClaw's own files", async () => {
    const authority = authorityOf({ floor: ["/state"], read: ["/"] });
    expect(await remedy("fs_read", pathFacts("/state/key"), authority)).toMatchObject({
      forbidding: ["floor/own-files"],
      grants: [],
    });
  });

  it("can be lifted for a file that tools obey later, by naming what is obeyed, as a danger", async () => {
    const authority = authorityOf({ write: ["/ws"] });
    for (const [path, named] of [
      ["/ws/.envrc", "/ws/.envrc"],
      ["/ws/.git/hooks/pre-commit", "/ws/.git/hooks"],
    ] as const) {
      expect(await remedy("fs_write", pathFacts(path), authority)).toMatchObject({
        forbidding: [],
        obstacles: [],
        grants: [{ table: "write", path: named, dangerous: true }],
      });
    }
  });

  it("can be lifted for a harmless variable, and never for one that chooses code", async () => {
    const authority = authorityOf({ run: [word("/usr/bin/git", "log")], environmentNames: ["LANG"] });
    const set = (environment: string[]) =>
      remedy("process_exec", programFacts("/usr/bin/git", ["log"], { environment }), authority);
    expect(await set(["LANG", "TZ"])).toMatchObject({ grants: [{ table: "environment", name: "TZ" }], obstacles: [] });
    const never = await set(["LD_PRELOAD", "TZ"]);
    expect(never.obstacles).toHaveLength(1);
    expect(never.obstacles[0]).toContain("LD_PRELOAD");
  });
});

it("permits exactly what was refused once the entry stands, and not what lies beside it", async () => {
  const question = programFacts("/usr/bin/git", ["diff", "--stat"]);
  const [grant] = (await remedy("process_exec", question)).grants;
  if (grant?.table !== "run") throw new Error("a program is granted by a use");
  const { program: path, realPath, use } = grant;
  const authority: Authority = authorityOf({ run: [{ path, realPath, use, source: "new" }] });
  const engine = await activeEngine(compilePolicy({ authority, manifests: MANIFESTS }));
  const allowed = (argv: readonly string[], program = path) =>
    engine.decide({
      principal: "s",
      history: NO_HISTORY,
      capability: "process_exec",
      question: programFacts(program, argv),
    }).allowed;
  expect(allowed(["diff", "--stat"])).toBe(true);
  expect([allowed(["diff", "--cached"]), allowed(["log"]), allowed(["diff"], "/usr/bin/hg")]).toEqual([
    false,
    false,
    false,
  ]);
});
