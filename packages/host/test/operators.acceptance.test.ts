/** Operators with keys on the real command line: made, demanded, asked for together, and answering from another machine. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ApprovalCard } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { writeOperatorKey } from "../src/operators/key-file.ts";
import { COMMAND, type Finished, Playground } from "./playground.ts";

const NOTE = { path: "out/note", content: "once\n", mode: "append" };

const configuration = (operators: readonly string[], ask = "") => `
workspace = "."
[capabilities]
fs_write = true
[allow]
read = ["."]
[ask]
write = ["./out"]
${ask}
[approvals]
operators = ${JSON.stringify(operators)}
operator_key = true
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`;

/** Makes the key of an operator outside the project; resolves with its public half. */
const operator = (place: Playground, name: string) => writeOperatorKey(key(place, name), name, false);

const key = (place: Playground, name: string) => join(place.root, `${name}.pem`);

/** A machine without this host, its configuration or its state: only what was carried there. */
async function elsewhere(place: Playground, args: readonly string[]): Promise<Finished> {
  const folder = place.folder("elsewhere");
  return await place.run(args, { cwd: folder, env: { FEMTOCLAW_CONFIG: undefined, HOME: place.folder("other-home") } });
}

/** Runs a command on a terminal, where what is typed follows each question. */
async function typed(
  place: Playground,
  args: readonly string[],
  lines: readonly string[],
): Promise<{ code: number | null; shown: string }> {
  const command = [...COMMAND, ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: place.project,
    env: place.environment as NodeJS.ProcessEnv,
  });
  const rest = [...lines];
  let shown = "";
  let answered = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (!shown.slice(answered).trimEnd().endsWith(":")) return;
    answered = shown.length;
    child.stdin.write(`${rest.shift() ?? ""}\r`);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, shown };
}

describe("operators with keys", () => {
  it("answer together, one here and one from afar, over kill -9, and the log proves who it was", async () => {
    await using place = new Playground();
    const operators = [await operator(place, "alice"), await operator(place, "bob")];
    place.configure(configuration(operators, "operators = 2"));
    const host = await place.up();
    const { code, value: pending } = await place.call("fs_write", NOTE);
    expect(code).toBe(75);
    const id = pending.approval?.id ?? "";
    const unsigned = await place.run(["approvals", "allow", id]);
    expect(unsigned).toMatchObject({ code: 77, stderr: expect.stringContaining("FEMTO_APPROVAL_UNSIGNED") });

    const first = await place.run(["approvals", "allow", id, "--key", key(place, "alice")]);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("1 of 2 operators have said yes") });
    host.kill("SIGKILL");
    await host.ended;
    await place.up();
    expect((await place.run(["approvals", "list"])).stdout).toMatch(/ fs_write +default +\S+ +1 of 2 /);
    const { value: card } = await place.json<ApprovalCard>(["approvals", "show", id]);
    const folder = place.folder("elsewhere");
    writeFileSync(join(folder, "card.json"), JSON.stringify(card));
    writeFileSync(
      join(folder, "edited.json"),
      JSON.stringify({ ...card, args: { ...card.args, content: "harmless\n" } }),
    );
    const sign = (name: string, out: string) =>
      elsewhere(place, [
        "approvals",
        "sign",
        name,
        "--key",
        key(place, "bob"),
        "--allow",
        "--out",
        out,
        "--reason",
        "seen",
      ]);
    expect(await sign("edited.json", "bad.txt")).toMatchObject({ code: 77, stderr: expect.stringContaining("edited") });
    const signed = await sign("card.json", "answer.txt");
    expect(signed).toMatchObject({ code: 0, stderr: expect.stringContaining('"once\\n"') });
    expect(existsSync(join(folder, "bad.txt"))).toBe(false);

    const answer = join(folder, "answer.txt");
    const turned = place.write("turned.txt", readFileSync(answer, "utf8").replace("answer granted", "answer refused"));
    expect(await place.run(["approvals", "answer", turned])).toMatchObject({
      code: 77,
      stderr: expect.stringContaining("not the one that was signed"),
    });
    expect(existsSync(join(place.project, "out/note"))).toBe(false);
    expect(await place.run(["approvals", "answer", answer])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("allowed"),
    });
    expect((await place.run(["approvals", "answer", answer])).code).toBe(1);
    await using client = await place.agent();
    expect(await client.wait(pending.execution_id)).toMatchObject({ status: "completed" });
    expect(readFileSync(join(place.project, "out/note"), "utf8")).toBe("once\n");
    const shown = (await place.run(["executions", "show", pending.execution_id])).stdout;
    for (const name of ["alice", "bob"]) expect(shown).toContain(`answered by operator:${name}; the signature holds`);
    await place.down();
    expect(await place.run(["audit", "verify"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("2 signed by operators"),
    });
    expect((await place.run(["replay", "--recompute"])).code).toBe(0);
  });

  it("are shown to whoever trusts the project, and changed by a restart alone", async () => {
    await using place = new Playground();
    const alice = await operator(place, "alice");
    place.configure(configuration([alice]));
    const trusted = await place.run(["trust", "."]);
    expect(`${trusted.stdout}${trusted.stderr}`).toContain(alice);
    const rule = `@id("four")\n@reason("r")\n@approval("4")\nforbid (principal, action == Action::"fs_write", resource)`;
    place.write("p/policy/many.cedar", `${rule}\nunless { context.approved };\n`);
    const { stdout, stderr } = await place.run(["policy", "check"]);
    expect(`${stdout}${stderr}`).toContain("denies, because fewer operators (1) have a key");
    place.configure(configuration([alice, alice]));
    expect(await place.run(["up"])).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/femtoclaw\.toml:\d+:\d+: .*already/),
    });
    place.configure(configuration([alice]));
    await place.up();
    place.configure(configuration([alice]).replace("operator_key = true", "operator_key = false"));
    expect(await place.run(["reload"])).toMatchObject({ stderr: expect.stringContaining("FEMTO_RELOAD_RESTART") });
  });

  it("unlock their keys on a terminal, with a passphrase that is shown nowhere", async () => {
    await using place = new Playground();
    const file = join(place.root, "carol.pem");
    const make = ["keys", "operator", "carol", "--out", file];
    expect(await typed(place, make, ["a good long phrase", "a good long phrases"])).toMatchObject({ code: 78 });
    expect(existsSync(file)).toBe(false);
    const made = await typed(place, make, ["a good long phrase", "a good long phrase"]);
    expect(made).toMatchObject({ code: 0, shown: expect.stringMatching(/carol\+[0-9a-f]{8}\+/) });
    expect(made.shown).not.toContain("phrase\r");
    expect(made.shown).not.toContain("good long");
    expect(readFileSync(file, "utf8")).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    expect(statSync(file).mode & 0o777).toBe(0o600);

    place.configure(configuration([/carol\+\S+/.exec(made.shown)?.[0] ?? ""]));
    await place.up();
    const { value } = await place.call("fs_write", NOTE);
    const allow = ["approvals", "allow", value.approval?.id ?? "", "--key", file];
    expect(await place.run(allow)).toMatchObject({ code: 78, stderr: expect.stringContaining("typed on a terminal") });
    expect(await typed(place, allow, ["another long phrase"])).toMatchObject({ code: 78 });
    expect(await typed(place, allow, ["a good long phrase"])).toMatchObject({ code: 0 });
  });
});
