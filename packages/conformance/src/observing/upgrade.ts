/**
 * Upgrades an installation with a running host to the executable, and rolls it back: which executables must be refused,
 * what is kept, and what happens if the upgrading process is killed.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootsOf, phaseReached } from "../judging/lifecycle-table.ts";
import type { Broken, SeenRecord, Upgrade } from "../observations.ts";
import { OtlpReceiver } from "../otlp-receiver.ts";
import { type Command, failed, Place } from "../subject.ts";
import { recordsOf } from "./audit.ts";
import { callOf, type SeenReply } from "./call.ts";
import { configuration } from "./configuration.ts";
import { copyWithOtherByte } from "./installation.ts";
import { until } from "./until.ts";

export interface UpgradeParts {
  readonly command: Command;
  /** The executable to upgrade from, by the same signer; null for an earlier version of itself, by its receipt. */
  readonly from: string | null;
  /** How often an upgrade is killed, at moments spread over its duration. */
  readonly kills: number;
}

/** What an installation reports about itself, as far as it is examined. */
interface Installed {
  readonly command: string;
  readonly library: string;
  readonly error?: { readonly reason: string };
}

type Whole = Extract<Upgrade, { refused: null }>;

const EARLIER = { version: "0.0.1", binary: "0".repeat(64) } as const;
const LATER = { version: "9999.0.0" } as const;
const UPGRADED = "femtoclaw.deployment upgraded";

export async function observeUpgrade({ command, from, kills }: UpgradeParts): Promise<Upgrade> {
  await using receiver = await OtlpReceiver.open();
  await using place = new Place(command, configuration());
  const prefix = join(place.root, "i");
  // It existed before the installation, which uses it unchanged.
  const text = configuration({ otlp: receiver.endpoint, workspace: "../../../p" });
  const path = place.write("i/etc/femtoclaw/femtoclaw.toml", text);
  place.environment["FEMTOCLAW_CONFIG"] = path;
  const { exit, ...installed } = await place.json<Installed>(["install", "--prefix", prefix], {
    ...(from === null ? {} : { program: from }),
  });
  if (exit !== 0) return { refused: installed.error?.reason ?? `it ended with ${exit}` };
  if (from === null) rewriteReceipt(installed, EARLIER);
  const [file] = command;
  const run = async (...words: string[]): Promise<number | null> =>
    (await place.run([...words, "--prefix", prefix])).exit;
  try {
    const started = await place.run(["up", "--detach"], { program: installed.command });
    if (started.exit !== 0) throw failed(`the installed host did not start: ${started.stderr.slice(-300)}`);
    const before = await lookBefore(place);
    const refusals = await refused(place, prefix, installed, file);
    const undisturbed = (await pidOf(place)) === before.pid;
    const beganMs = performance.now();
    const upgraded = await run("upgrade", file);
    const tookMs = performance.now() - beganMs;
    const phase = await phaseOf(place);
    const question = await answer(place, before.asked);
    const configurationKept = keptCopies(join(prefix, "lib"), text);
    const rolledBack = await run("rollback");
    const cutOff = await killed(place, installed, { prefix, file, kills, tookMs });
    await until(() => receiver.spans.some(({ name }) => name === UPGRADED));
    const stopped = await place.run(["down"]);
    if (stopped.exit !== 0) throw failed(`the upgraded host did not stop: ${stopped.stderr.slice(-300)}`);
    const { records } = await recordsOf(place);
    return {
      refused: null,
      from: from === null ? "an earlier version of itself, by its receipt" : "the executable that was named",
      exits: { upgraded, rolledBack },
      phase,
      refusals,
      undisturbed,
      history: await lookAfter(place, before, records),
      question,
      configuration: { same: readFileSync(path, "utf8") === text, kept: configurationKept },
      executedBetween: executedBetween(records),
      kills: cutOff,
      told: [...new Set(receiver.spans.map(({ name }) => name))].filter((name) => name.includes("deployment")),
    };
  } finally {
    await place.run(["down", "--now"]);
  }
}

function rewriteReceipt({ library }: Installed, said: Readonly<Record<string, string>>): () => void {
  const path = join(library, "current", "receipt.json");
  const kept = readFileSync(path, "utf8");
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(kept) as object), ...said }));
  return () => writeFileSync(path, kept);
}

interface Before {
  readonly pid: number;
  /** The identifier of the open question. */
  readonly asked: string;
  readonly records: readonly SeenRecord[];
  readonly checkpoint: string;
  readonly key: string;
  readonly proof: string;
}

/** Completes a call, leaves a question open, and takes what an auditor would keep: a proof, the checkpoint, the key. */
async function lookBefore(place: Place): Promise<Before> {
  const done = await callOf(place, "fs_write", { path: "out/before", content: "x", mode: "create" });
  const append = { path: "asked/log", content: "once\n", mode: "append" };
  const question = await place.json<SeenReply>(["call", "fs_write", JSON.stringify(append)]);
  const proof = join(place.root, "proof.tlog-proof");
  await place.run(["audit", "prove", String(done.seq), "--out", proof]);
  const { vkey } = await place.json<{ vkey: string }>(["keys", "show"]);
  const { records } = await recordsOf(place);
  return {
    pid: await pidOf(place),
    asked: question.approval?.id ?? "none",
    records,
    checkpoint: place.write("checkpoint", (await place.run(["audit", "checkpoint"])).stdout),
    key: place.write("key.vkey", `${vkey}\n`),
    proof,
  };
}

async function lookAfter(place: Place, before: Before, records: readonly SeenRecord[]): Promise<Whole["history"]> {
  const { checkpoint, key, proof } = before;
  const exit = async (...words: string[]): Promise<number | null> => (await place.run(["audit", ...words])).exit;
  const lost = before.records.filter(
    ({ seq }, index) => JSON.stringify(records[seq]) !== JSON.stringify(before.records[index]),
  );
  return {
    records: before.records.length,
    changed: lost.map(({ seq }) => seq),
    checkpoint: await exit("verify", "--checkpoint", checkpoint, "--key", key),
    proof: await exit("check-proof", proof, "--record", `${proof}.record`, "--key", key),
  };
}

/** Tries to put executables in force, while the host runs, that must be refused. */
async function refused(place: Place, prefix: string, installed: Installed, file: string): Promise<Whole["refusals"]> {
  const upgrade = async (path: string): Promise<Broken> => {
    const { exit, stderr } = await place.run(["upgrade", path, "--prefix", prefix]);
    return { exit, code: /FEMTO_[A-Z_]+/.exec(stderr)?.[0] ?? null, said: stderr.trim().slice(0, 300) };
  };
  const unsigned = join(place.root, "unsigned");
  copyFileSync(file, unsigned);
  const flipped = copyWithOtherByte(file, join(place.root, "flipped"));
  const back = rewriteReceipt(installed, LATER);
  const older = await upgrade(file);
  back();
  return {
    "one other byte": await upgrade(flipped),
    "no signature": await upgrade(unsigned),
    "an older version": older,
  };
}

async function answer(place: Place, asked: string): Promise<Whole["question"]> {
  const open = Object.values(await place.json<{ id: string }[]>(["approvals", "list"]));
  const isOpen = open.some((question) => Object(question).id === asked);
  await place.run(["approvals", "allow", asked]);
  const log = join(place.root, "p/asked/log");
  const effects = (): number => (existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0);
  await until(() => effects() > 0);
  return { isOpen, effects: effects() };
}

/** The previous configuration is kept beside the current one, so that a rollback can restore it. */
function keptCopies(library: string, text: string): boolean {
  return readdirSync(library, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === "femtoclaw.toml")
    .some(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8") === text);
}

async function killed(
  place: Place,
  { command }: Installed,
  { prefix, file, kills, tookMs }: { prefix: string; file: string; kills: number; tookMs: number },
): Promise<Whole["kills"]> {
  const seen: Whole["kills"][number][] = [];
  const again = ["upgrade", file, "--prefix", prefix];
  for (let kill = 0; kill < kills; kill += 1) {
    if (kill > 0) await place.run(["rollback", "--prefix", prefix]);
    const cutOff = place.begin(again);
    await sleep((tookMs * (kill + 1)) / (kills + 1));
    cutOff.kill();
    await cutOff.ended;
    const works = (await place.run(["--version"], { program: command })).exit === 0;
    const { exit, stderr } = await place.run(again);
    seen.push({ works, again: exit, said: stderr.trim().slice(-300), phase: await phaseOf(place) });
  }
  return seen;
}

/** Sequence numbers of intents that were recorded before the host said that it takes calls. */
function executedBetween(records: readonly SeenRecord[]): number[] {
  return bootsOf(records).flatMap((boot) => {
    const from = phaseReached(records, boot, "idle") ?? Number.POSITIVE_INFINITY;
    const to = phaseReached(records, boot, "shuttingDown") ?? Number.POSITIVE_INFINITY;
    return records
      .filter((record) => record.boot === boot && record.type === "execution.intent")
      .map(({ seq }) => seq)
      .filter((seq) => seq < from || seq > to);
  });
}

const statusOf = async (place: Place) => await place.json<{ pid?: number; phase?: string }>(["status"]);
const pidOf = async (place: Place): Promise<number> => (await statusOf(place)).pid ?? 0;
const phaseOf = async (place: Place): Promise<string> => (await statusOf(place)).phase ?? "none";
