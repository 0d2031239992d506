import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { FemtoError } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { readFailures, writeFailure } from "../src/report/failure-reports.ts";
import { maskedConfiguration, maskedFindings, toldLine } from "../src/report/masking.ts";
import { CONFIGURATION, Playground } from "./playground.ts";

const CANARY = "CANARY7731";

interface Bundle {
  readonly doctor: readonly { readonly check: string }[];
  readonly configuration: {
    readonly tables: {
      readonly observability: unknown;
      readonly mcp: { readonly servers: Readonly<Record<string, unknown>> };
    };
  };
  readonly status: unknown;
  readonly records: readonly { readonly type: string; readonly code?: string }[];
  readonly failures: readonly {
    readonly code: string;
    readonly phase: string | null;
    readonly frames: readonly string[];
  }[];
  readonly log: readonly unknown[];
}

test("a host that a bug ends says where it happened, and a report tells of it, of codes and findings, and of no value", async () => {
  const secret = `
[mcp.servers.far]
url = "http://127.0.0.1:9/${CANARY}"
headers = { Authorization = "Token ${CANARY}", X-Auth = "${CANARY}" }
[observability]
otlp = "http://127.0.0.1:9/${CANARY}"
`;
  await using place = new Playground(`${CONFIGURATION}${secret}`);
  const bug = place.write("bug.mjs", `process.on("SIGUSR2", () => { JSON.parse("${CANARY}"); });\n`);
  const host = await place.up([], { env: { NODE_OPTIONS: `--import ${bug}` } });
  await place.propose(CANARY, { [CANARY]: CANARY });
  await place.propose("process_exec", { bin: "echo", argv: [CANARY], env: { TOKEN: CANARY } });
  await place.propose("fs_read", { path: `/${CANARY}` });
  await place.propose("fs_write", { path: `out/${CANARY}`, content: CANARY, mode: "create" });
  const alive = await place.run(["report"]);
  expect(alive.stdout).not.toContain(CANARY);
  const bundle = JSON.parse(alive.stdout) as Bundle;
  expect(bundle.doctor.map(({ check }) => check)).toEqual(expect.arrayContaining(["sandbox", "journal", "disk"]));
  expect(bundle.configuration.tables.observability).toEqual({ otlp: "http://127.0.0.1:9/[masked]" });
  expect(bundle.configuration.tables.mcp.servers["far"]).toEqual({
    url: "http://127.0.0.1:9/[masked]",
    headers: { Authorization: "[masked]", "X-Auth": "[masked]" },
  });
  expect(bundle.records.map(({ code }) => code)).toContain("FEMTO_CAPABILITY_NOT_FOUND");

  host.kill("SIGUSR2");
  expect(await host.ended).toBe(2);
  const [name = ""] = readdirSync(join(place.state, "failures"));
  const file = join(place.state, "failures", name);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ code: "FEMTO_INTERNAL", phase: "idle" });
  // What is wrong with the journal is told as well, where it keeps a host from starting.
  appendFileSync(join(place.state, "journal", "CURRENT"), "x");
  expect((await place.run(["up"])).code).toBe(70);
  const out = join(place.root, "report.json");
  expect((await place.run(["report", "--out", out])).code).toBe(0);
  expect((await place.run(["report", "--out", out])).stderr).toContain("is there already");
  const text = readFileSync(out, "utf8");
  expect(text).not.toContain(CANARY);
  const dead = JSON.parse(text) as Bundle;
  expect(dead.failures).toMatchObject([{ code: "FEMTO_INTERNAL", phase: "idle" }, { code: "FEMTO_JOURNAL_CORRUPT" }]);
  expect(dead.failures[0]?.frames.join()).toContain("bug.mjs:1:");
  expect(dead.records).toEqual({ failed: "FEMTO_JOURNAL_CORRUPT" });
});

test("failures that come again and again do not fill the disk, and no link leads a report elsewhere", async () => {
  await using place = new Playground();
  const state = place.folder("state");
  for (let times = 0; times < 40; times += 1) {
    writeFailure(state, new FemtoError("FEMTO_INTERNAL", `number ${times} with password=hunter2hunter2`), () => null);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const kept = readFailures(state);
  expect({ kept: kept.length, last: kept.at(-1)?.reason }).toEqual({ kept: 16, last: expect.stringContaining("39") });
  expect(JSON.stringify(kept)).not.toContain("hunter2");
  expect(writeFailure(state, new FemtoError("FEMTO_JOURNAL_LOCKED", "another host has it"), () => null)).toBeNull();

  const [other, elsewhere] = [place.folder("other"), place.folder("elsewhere")];
  symlinkSync(elsewhere, join(other, "failures"));
  expect(writeFailure(other, new Error("bug"), () => null)).toBeNull();
  expect(readFailures(other)).toEqual([]);
  expect(readdirSync(elsewhere)).toEqual([]);
  const open = place.folder("open");
  mkdirSync(join(open, "failures"));
  chmodSync(join(open, "failures"), 0o777);
  expect(writeFailure(open, new Error("bug"), () => null)).toBeNull();
  expect(writeFailure(join(place.root, "nowhere"), new Error("bug"), () => null)).toBeNull();
});

test("what a killed host was writing of a failure goes with the next report, and what another one writes stays", async () => {
  await using place = new Playground();
  const state = place.folder("state");
  const folder = place.folder("state/failures");
  const [left, written, other] = [
    "20260101T000000001Z.json.next",
    "20260101T000000002Z.json.next",
    "notes.next",
  ] as const;
  for (const name of [left, written, other]) writeFileSync(join(folder, name), "{");
  for (const name of [left, other]) utimesSync(join(folder, name), 1_000_000_000, 1_000_000_000);
  const path = writeFailure(state, new Error("bug"), () => null);
  expect(readdirSync(folder).sort()).toEqual([written, basename(path ?? ""), other].sort());
});

test("lines of a log lose everything but words of closed sets, and stacks everything but places", () => {
  const line = {
    at: "2026-11-26T05:37:49.490Z",
    level: "warn",
    event: "x.y",
    reason: "secret",
    tool: "t",
    code: "FEMTO_X",
  };
  expect(toldLine(JSON.stringify(line))).toEqual([{ at: line.at, level: "warn", event: "x.y", code: "FEMTO_X" }]);
  expect(toldLine(JSON.stringify({ ...line, event: "two words", level: { a: 1 } }))).toEqual([
    { at: line.at, code: "FEMTO_X" },
  ]);
  for (const text of ["{broken", "SyntaxError: Unexpected token 's', \"secret\" is not JSON", "", "at nothing"]) {
    expect(toldLine(text)).toEqual([]);
  }
  expect(toldLine("    at Module.up (file:///somewhere/else/packages/host/src/x.ts:1:2)")).toEqual([
    "Module.up packages/host/src/x.ts:1:2",
  ]);
  const told = maskedConfiguration({ a: ["HTTPS://hooks.test/T0/secret", "http://h.test"], password: "hunter2" });
  expect(told).toEqual({ a: ["https://hooks.test/[masked]", "http://h.test"], password: "[redacted]" });
  const urls = ["wss://h.test/secret?x=1", "postgres://app:pass@db.test/secret", "redis://cache.test:6379", "c:/x"];
  expect(maskedConfiguration(urls)).toEqual([
    ...["wss://h.test/[masked]", "postgres://db.test/[masked]", "redis://cache.test:6379", "c:/x"],
  ]);
  const command = [
    "npx",
    "db-mcp",
    "-pHunter2",
    "--password",
    "Hunter2",
    "--db-token=Hunter2",
    "-p",
    "Hunter2",
    "--port",
    "3306",
  ];
  const more = [
    "app:Hunter2@db.test:5432",
    "--dsn=postgres://app:Hunter2@db.test/x?k=Hunter2",
    "sh -c 'q --passwd Hunter2 -pHunter2'",
  ];
  const tables = { mcp: { servers: { db: { command: [...command, ...more] } } } };
  expect(maskedConfiguration(tables).mcp.servers.db.command).toEqual([
    ...[
      "npx",
      "db-mcp",
      "-p[masked]",
      "--password",
      "[redacted]",
      "--db-token=[redacted:assignment]",
      "-p",
      "[masked]",
      "--port",
      "3306",
    ],
    ...["app:[masked]@db.test:5432", "--dsn=postgres://db.test/[masked]", "sh -c 'q --passwd [masked] -p[masked]"],
  ]);
  expect(maskedFindings(["it ran `mkdir -p x` and `q --password hunter2`, as app:hunter2@db.test"])).toEqual([
    "it ran `mkdir -p x` and `q --password [masked] as app:[masked]@db.test",
  ]);
  expect(maskedFindings(["it met amqp://user:pass@mq.test/secret, and h.test"])).toEqual([
    "it met amqp://mq.test/[masked], and h.test",
  ]);
});

/** Forms of tokens that a command or a message may contain, assembled here so that no scanner takes them for real ones. */
const TOKENS = [
  `hf_${"aB3dE".repeat(7)}`,
  `ghp_${"aB3d".repeat(9)}`,
  `github_pat_${"aB3d_".repeat(9)}`,
  `glpat-${"aB3d-".repeat(5)}`,
  `xoxb-${"1234-".repeat(4)}aB3d`,
  `npm_${"aB3d".repeat(9)}`,
  `AKIA${"AB3D".repeat(4)}`,
  `sk-${"aB3d".repeat(8)}`,
  `AIza${"aB3dE".repeat(7)}`,
  `eyJ${"aB3d".repeat(4)}.eyJ${"aB3d".repeat(4)}.${"aB3d".repeat(5)}`,
  `-----BEGIN RSA ${"PRIVATE"} KEY-----\n${"aB3d".repeat(16)}\n-----END RSA ${"PRIVATE"} KEY-----`,
];

test("a report has no token of a well known form, wherever the configuration has it", async () => {
  await using place = new Playground(
    `${CONFIGURATION}[mcp.servers.far]\ncommand = ${JSON.stringify(["cat", ...TOKENS.map((token) => `x ${token} y`)])}\n`,
  );
  const { code, stdout } = await place.run(["report"]);
  expect(code).toBe(0);
  const { configuration } = JSON.parse(stdout) as Bundle;
  expect(configuration.tables.mcp.servers["far"]).toMatchObject({ command: expect.arrayContaining(["cat"]) });
  for (const token of TOKENS) expect(stdout).not.toContain(JSON.stringify(token).slice(1, -1));
});
