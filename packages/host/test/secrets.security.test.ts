/**
 * I10 from outside: secrets come in at every door of a real host, and afterwards none of them is in any
 * file of the state directory, in any export, in what is shown, logged or sent as telemetry.
 */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentClient, LogMemory } from "@femtoclaw/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Receiver } from "../../telemetry/test/receiver.ts";
import { CONFIGURATION, type Host, Playground, toolCall } from "./playground.ts";

/** Each door has a secret of its own, so that a leak names its source. Put together here, so that no scanner mistakes them. */
const github = (door: number): string => `ghp${"_"}${String(door).padStart(4, "0")}${"Zq7".repeat(12)}`;
const SECRETS = {
  argument: github(1),
  option: `opt-${"plain"}-value-5521`,
  environment: `no-form-at-all-${"7741"}`,
  stdin: github(2),
  file: `AKIA${"QX9".repeat(5)}7`,
  largeFile: github(3),
  privateKey: `MIIEcanary${"kR4".repeat(20)}`,
  output: github(4),
  errorOutput: `sk-${"canary4"}${"Tn5".repeat(8)}`,
  message: github(5),
  written: github(6),
  notJson: github(7),
  wrongShape: github(8),
  unknownTool: github(9),
  badArgument: github(10),
  memberName: github(11),
  deniedPath: github(12),
  missingPath: github(13),
  label: github(14),
  traceState: github(16),
  session: github(17),
  toolServer: github(18),
  urlPassword: `pw-${"in-a-url"}-9921`,
  assignment: `hunter-${"3"}-canary`,
  hostVariable: `host-variable-${"8812"}`,
} as const;

const receiver = await Receiver.open();
const place = new Playground(
  [
    CONFIGURATION.replace('echo = ["*"]', 'echo = ["*"], env = [{ any = true, unsafe = true }], ls = ["*"]'),
    '[sandbox]\nenv = ["CANARY_TOKEN"]\n',
    `[observability]\notlp = "http://127.0.0.1:${receiver.port}"\n`,
  ].join(""),
);
let host: Host;
const shown: string[] = [];

beforeAll(async () => {
  const { root } = place;
  place.write("p/keys.txt", `id ${SECRETS.file}\n-----BEGIN ${"PRIVATE"} KEY-----\n${SECRETS.privateKey}\n`);
  place.write("p/large.txt", `${"filler ".repeat(2_000)}${SECRETS.largeFile}\n${"filler ".repeat(2_000)}`);
  place.write("p/output.txt", `${"line\n".repeat(1_500)}token ${SECRETS.output}\n`);
  mkdirSync(join(root, "p", "out"), { recursive: true });
  host = await place.up([], { env: { CANARY_TOKEN: SECRETS.hostVariable } });
  await using client = await place.agent();
  const send = (message: unknown): Promise<unknown> =>
    client.propose(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));
  const exec = (bin: string, argv: readonly string[], more = {}) =>
    send(toolCall("process_exec", { bin, argv, ...more }));
  await exec("echo", ["done", SECRETS.argument]);
  // Behind an option a secret needs no form of its own; a program must not repeat it, because there it would.
  await exec("tee", ["--password", SECRETS.option]);
  await exec("echo", [`https://user:${SECRETS.urlPassword}@example.com/`, `api_key=${SECRETS.assignment}`]);
  await exec("echo", ["quiet"], { env: { INNOCENT: SECRETS.environment } });
  await exec("env", []);
  await exec("tee", ["out/copy.txt"], { stdin: SECRETS.stdin });
  await exec("cat", ["output.txt"]);
  await exec("ls", [`/nowhere/${SECRETS.errorOutput}`]);
  for (const path of ["keys.txt", "large.txt"]) await send(toolCall("fs_read", { path }));
  await send(toolCall("fs_write", { path: "out/new.txt", content: SECRETS.written, mode: "create" }));
  await send({ message: { content: `my token is ${SECRETS.message}` } });
  await send(`{"tool_call": "${SECRETS.notJson}`);
  await send({ tool_call: { tool: "fs_read", args: { path: "." }, extra: SECRETS.wrongShape } });
  await send(toolCall(SECRETS.unknownTool, {}));
  await send(toolCall("fs_read", { path: 7, note: SECRETS.badArgument }));
  await send(toolCall("fs_read", { path: "notes.txt", [SECRETS.memberName]: 1 }));
  await send(toolCall("fs_read", { path: `secrets/${SECRETS.deniedPath}` }));
  await send(toolCall("fs_read", { path: `${SECRETS.missingPath}.txt` }));
  await place.run(["call", "fs_read", '{"path":"notes.txt"}', "--label", SECRETS.label]);
  const traced = [
    "--traceparent",
    `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`,
    "--tracestate",
    `v=${SECRETS.traceState}`,
  ];
  await place.run(["call", "fs_read", '{"path":"notes.txt"}', ...traced]);
  await send(toolCall(`${SECRETS.toolServer}__tool`, {}));
  await introduced(SECRETS.session);
  await using operator = await place.operator();
  const executions = await place.executions();
  for (const { execution_id } of executions) shown.push(JSON.stringify(await operator.execution(execution_id)));
  const [newest] = executions;
  shown.push((await place.run(["--json", "executions", "show", newest?.execution_id ?? ""])).stdout);
  shown.push((await place.run(["executions", "list", "--all"])).stdout);
  for (const format of ["tiles", "jsonl", "ocsf"]) {
    const values = format === "ocsf" ? [] : ["--with-values"];
    const out = join(place.folder("exports"), format);
    const { code } = await place.run(["audit", "export", "--format", format, "--out", out, ...values]);
    expect(code).toBe(0);
  }
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

/** A client that calls itself so, and proposes something. */
async function introduced(label: string): Promise<void> {
  const memory = new LogMemory({ environment: place.environment, place: place.runtime, warn: () => undefined });
  await using client = await AgentClient.connect(place.runtime, memory, { label });
  await client.propose(Buffer.from(JSON.stringify(toolCall("fs_read", { path: "notes.txt" }))));
}

/** The doors whose secret stands in the bytes, as it is or as base64 would hold it. */
function leaksIn(bytes: Buffer): string[] {
  return Object.entries(SECRETS).flatMap(([door, secret]) => {
    const found = bytes.includes(secret) || encodings(secret).some((text) => bytes.includes(text));
    return found ? [door] : [];
  });
}

/** What base64 makes of the middle of a text, for each of the three places where the text may begin. */
function encodings(secret: string): string[] {
  return [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)])
      .toString("base64")
      .slice(4, -4),
  );
}

function leaksBelow(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(0);
  return files.flatMap((file) => {
    const leaks = leaksIn(readFileSync(join(file.parentPath, file.name)));
    return leaks.map((door) => `${door} in ${file.name}`);
  });
}

test("no secret is in any file of the state directory", () => {
  expect(leaksBelow(place.state)).toEqual([]);
});

test("no secret is in an export, in whatever form, with values or without", () => {
  expect(leaksBelow(join(place.root, "exports"))).toEqual([]);
  expect(readFileSync(join(place.root, "exports", "jsonl"), "utf8")).toContain("[redacted:github-token]");
});

test("no secret is shown to an operator", () => {
  expect(shown.length).toBeGreaterThan(15);
  expect(leaksIn(Buffer.from(shown.join("\n")))).toEqual([]);
});

test("no secret is in the host's log or in telemetry", () => {
  expect(receiver.spans.length).toBeGreaterThan(15);
  expect(host.log()).toContain("lifecycle.changed");
  expect(leaksIn(Buffer.from(host.log()))).toEqual([]);
  // Spans, lines and metrics, as they were sent.
  for (const signal of ["resourceSpans", "resourceLogs", "resourceMetrics"]) expect(receiver.text).toContain(signal);
  expect(leaksIn(Buffer.from(receiver.text))).toEqual([]);
});
