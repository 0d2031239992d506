/** Starts a host while one thing at a time is broken, and again after the repair. */
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "@femtoclaw/protocol";
import type { Broken, Failures } from "../observations.ts";
import { type Command, Place } from "../subject.ts";
import { recordsOf } from "./audit.ts";
import { callOf } from "./call.ts";
import { forbiddenEffects } from "./calls.ts";
import { configuration } from "./configuration.ts";

/** Nobody listens at this port, so telemetry has to wait. */
const NOWHERE = "http://127.0.0.1:9";

export async function observeFailures(command: Command): Promise<Failures> {
  const right = configuration({ otlp: NOWHERE });
  await using place = new Place(command, right);
  const path = String(place.environment["FEMTOCLAW_CONFIG"]);
  await oneLife(place);

  const syntax = await brokenBy(place, () => writeFileSync(path, `${right}\nworkspace = \n`));
  const unknownKey = await brokenBy(place, () => writeFileSync(path, `${right}\n[alow]\nread = ["/"]\n`));
  writeFileSync(path, right);
  const othersMayWrite = await brokenBy(place, () => chmodSync(path, 0o666));
  chmodSync(path, 0o600);
  const test = "p/policy/wrong.test.toml";
  const failingTest = await brokenBy(place, () => place.write(test, '[tool.fs_read]\nmatch = ["secrets/token.txt"]\n'));
  rmSync(join(place.root, test));

  const damaged = largestFile(join(place.state, "journal"));
  const kept = readFileSync(damaged);
  const flippedByte = await brokenBy(place, () => flip(damaged));
  const flippedVerify = await run(place, ["audit", "verify"]);
  writeFileSync(damaged, kept);

  writeFileSync(join(place.state, "telemetry-cursor"), "not a number");
  const damagedCursor = await startOnce(place);
  const host = await place.up();
  const twice = await run(place, ["up"]);
  const call = (await callOf(place, "fs_read", { path: "notes.txt" })).exit;
  host.kill("SIGTERM");
  await host.ended;
  writeFileSync(path, right.replace('"./secrets"', '"./secrets", "./asked"'));
  await oneLife(place);
  const verify = (await place.run(["audit", "verify"])).exit;
  const { records } = await recordsOf(place);
  return {
    syntax,
    unknownKey,
    othersMayWrite,
    failingTest,
    flippedByte,
    flippedVerify,
    twice,
    damagedCursor,
    forbiddenEffects: forbiddenEffects(place),
    repaired: { call, verify },
    tampered: await tamperedExports(place),
    configurationDigests: records
      .filter(({ type }) => type === "boot.started")
      .map(({ body }) => String(Object(body["configuration"]).sha256)),
  };
}

async function oneLife(place: Place): Promise<void> {
  const host = await place.up();
  await callOf(place, "fs_write", { path: `out/${host.pid}`, content: "x".repeat(4_096), mode: "create" });
  await callOf(place, "process_exec", { bin: "echo", argv: ["x"] });
  host.kill("SIGTERM");
  await host.ended;
}

/** A host that started nevertheless would execute the forbidden call. */
async function brokenBy(place: Place, breakIt: () => void): Promise<Broken> {
  breakIt();
  const broken = await run(place, ["up"]);
  if (broken.exit === null) return broken;
  await place.run(["call", "fs_write", '{"path":"out/forbidden","content":"x","mode":"create"}']);
  return broken;
}

async function run(place: Place, args: readonly string[]): Promise<Broken> {
  const { exit, stdout, stderr } = await place.run(args);
  return { exit, code: /FEMTO_[A-Z_]+/.exec(stderr)?.[0] ?? null, said: (stderr || stdout).slice(0, 600) };
}

async function startOnce(place: Place): Promise<Failures["damagedCursor"]> {
  try {
    const host = await place.up();
    const { observability } = await place.json<{ observability: string }>(["status"]);
    host.kill("SIGTERM");
    await host.ended;
    return { started: true, observability };
  } catch (error) {
    return { started: false, observability: errorText(error) };
  }
}

/** Makes each change to a separate copy of the export. */
async function tamperedExports(place: Place): Promise<Record<string, number | null>> {
  const whole = join(place.root, "tiles");
  await place.run(["audit", "export", "--format", "tiles", "--out", whole]);
  const { vkey } = await place.json<{ vkey: string }>(["keys", "show"]);
  const key = place.write("key.vkey", `${vkey}\n`);
  const verify = async (name: string, change: (folder: string) => void): Promise<number | null> => {
    const folder = join(place.root, `tiles-${name.replaceAll(" ", "-")}`);
    cpSync(whole, folder, { recursive: true });
    change(folder);
    return (await place.run(["audit", "verify", folder, "--key", key])).exit;
  };
  return {
    untouched: await verify("untouched", () => undefined),
    "a byte changed": await verify("a byte changed", (folder) => flip(largestFile(join(folder, "tile", "entries")))),
    "a bundle cut short": await verify("a bundle cut short", (folder) => {
      const bundle = largestFile(join(folder, "tile", "entries"));
      writeFileSync(bundle, readFileSync(bundle).subarray(0, -100));
    }),
    "a bundle missing": await verify("a bundle missing", (folder) =>
      rmSync(largestFile(join(folder, "tile", "entries"))),
    ),
    "a checkpoint of another root": await verify("a checkpoint of another root", (folder) => {
      const note = readFileSync(join(folder, "checkpoint"), "utf8").split("\n");
      writeFileSync(join(folder, "checkpoint"), note.with(2, Buffer.alloc(32).toString("base64")).join("\n"));
    }),
  };
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 0x01;
  writeFileSync(path, bytes);
}

function largestFile(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "LOG")
    .map((entry) => join(entry.parentPath, entry.name));
  const [largest] = files.sort((left, right) => statSync(right).size - statSync(left).size);
  if (largest === undefined || !existsSync(largest)) throw new Error(`there is no file in ${folder}`);
  return largest;
}
