/** One deployment from its first start to its last stop, with a crash in the middle. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { IDLE_SHARE_MAX, RSS_GROWTH_MAX_BYTES } from "../judging/process.ts";
import type { Life, SeenRecord } from "../observations.ts";
import { OtlpReceiver } from "../otlp-receiver.ts";
import { Page } from "../page.ts";
import { type Command, failed, Place, type RunningHost } from "../subject.ts";
import { auditOf, recordsOf, replayOf } from "./audit.ts";
import { callOf, type SeenReply } from "./call.ts";
import {
  bySurfaces,
  forbiddenEffects,
  isolationOfAChild,
  malformedMessages,
  namedCalls,
  operatorVerbsOfAnAgent,
  overloadedCodes,
  sendAll,
} from "./calls.ts";
import { configuration } from "./configuration.ts";
import { cpuNs, descriptors, privilegesOf, processesWith, rssBytes, zombiesOf } from "./process-table.ts";
import { leaksIn, sendSecrets } from "./secrets.ts";
import { until } from "./until.ts";

/** A number that no other process has among its arguments. */
const LONG_SLEEP = `86399.${process.pid}`;
const READ = '{"tool_call":{"tool":"fs_read","args":{"path":"notes.txt"}}}';
/**
 * LIMIT: how often an idle host is looked at; after a thousand calls a busy machine still exports telemetry for some
 * seconds.
 */
const IDLE_LOOKS = 12;
const IDLE_MS = 2_000;
/** LIMIT: rounds of the same calls; a leak grows in every round, garbage that is not collected yet does not. */
const GROWTH_ROUNDS = 3;

export async function observeLife(command: Command, executions: number): Promise<Life> {
  await using receiver = await OtlpReceiver.open();
  receiver.isShut = true;
  await using page = await Page.open();
  await using place = new Place(command, configuration({ otlp: receiver.endpoint, page: page.host }));
  const beforeStart = (await place.run(["call", "fs_read", '{"path":"notes.txt"}'])).exit;
  const first = await place.up();
  const status = await statusOf(place, first);
  const malformed = await malformedMessages(place);
  const calls = await namedCalls(place, page.host);
  const surfaces = await bySurfaces(place);
  const agentVerbs = await operatorVerbsOfAnAgent(place);
  const isolation = await isolationOfAChild(place);
  const registry = await switchRegistry(place);
  await sendSecrets(place);
  const overload = await overloadedCodes(place);
  await until(() => receiver.refused > 0);
  const refusedWhileShut = receiver.refused;
  const { asked, interrupted, survivors } = await crash(place, first);

  receiver.isShut = false;
  const second = await place.up();
  const approval = await approve(place, asked);
  const afterCrash = await interruptedAfter(place, interrupted);
  const resources = await resourcesOf(place, second, executions);
  const acknowledged = await stopUnderLoad(place, second);
  const leftBehind = leftovers(place);
  const third = await place.up();
  await until(() => receiver.spans.filter(({ name }) => name === "femtoclaw.boot").length >= 3);
  third.kill("SIGTERM");
  await third.ended;
  const embedded = await callOf(place, "fs_read", { path: "notes.txt" }, ["--embedded"]);

  const { records, file } = await recordsOf(place);
  const seqs = new Set(records.map(({ seq }) => seq));
  const shown = [first.log(), second.log(), third.log(), receiver.text, readFileSync(file, "utf8")];
  return {
    beforeStart,
    readyMs: first.readyMs,
    status,
    malformed,
    calls,
    agentVerbs,
    isolation,
    registry,
    overload,
    forbiddenEffects: forbiddenEffects(place),
    surfaces: [...surfaces, { surface: "embedded", execution: embedded.execution }].map(({ surface, execution }) => ({
      surface,
      records: records.filter((record) => record.execution === execution).map(shapeOf),
    })),
    approval,
    crash: { ...afterCrash, survivors },
    resources,
    stop: {
      exit: await second.ended,
      acknowledged: acknowledged.length,
      missing: acknowledged.filter((seq) => !seqs.has(seq)),
      leftBehind,
    },
    audit: await auditOf(place, [calls.read, calls.program, calls.deniedPath]),
    replay: await replayOf(place),
    records,
    spans: receiver.spans,
    refusedWhileShut,
    leaks: leaksIn([place.state, join(place.root, "exported")], shown),
  };
}

async function statusOf(place: Place, host: RunningHost): Promise<Life["status"]> {
  const { phase, integrity, sandbox, deployment } = await place.json<{
    phase: string;
    integrity: string;
    sandbox: string | null;
    deployment: { digest: string } | null;
  }>(["status"]);
  return { phase, integrity, sandbox, ...privilegesOf(host.pid), deployment: deployment?.digest ?? null };
}

async function switchRegistry(place: Place): Promise<Life["registry"]> {
  await place.run(["capabilities", "disable", "fs_read"]);
  const disabled = (await callOf(place, "fs_read", { path: "notes.txt" })).code;
  await place.run(["capabilities", "enable", "fs_read"]);
  return { disabled, enabled: (await callOf(place, "fs_read", { path: "notes.txt" })).status };
}

/** A question is open and a program runs when the host is killed. */
async function crash(
  place: Place,
  host: RunningHost,
): Promise<{ asked: string; interrupted: string; survivors: string[] }> {
  const append = { path: "asked/log", content: "once\n", mode: "append" };
  const question = await place.json<SeenReply>(["call", "fs_write", JSON.stringify(append)]);
  const asked = question.approval?.id;
  if (asked === undefined) throw failed("a call that a rule asks about was not asked about");
  const sleeping = place.begin(["call", "process_exec", JSON.stringify({ bin: "sleep", argv: [LONG_SLEEP] })]);
  await until(() => processesWith(`sleep ${LONG_SLEEP}`).length > 0);
  const running = (await executionsOf(place)).find(
    ({ status, tool }) => status === "pending" && tool === "process_exec",
  );
  if (running === undefined) throw failed("a program that runs is not listed as executing");
  host.kill("SIGKILL");
  await host.ended;
  sleeping.kill();
  await sleeping.ended;
  // Processes that the kernel kills together with the host need a moment to disappear.
  await until(() => processesWith(`sleep ${LONG_SLEEP}`).length === 0, 2_000);
  return { asked, interrupted: running.execution_id, survivors: processesWith(`sleep ${LONG_SLEEP}`) };
}

async function approve(place: Place, asked: string): Promise<Life["approval"]> {
  const open = await place.json<{ id: string }[]>(["approvals", "list"]);
  const openAfterCrash = Object.values(open).some((question) => Object(question).id === asked);
  const firstAnswer = (await place.run(["approvals", "allow", asked])).exit;
  const log = join(place.root, "p/asked/log");
  await until(() => existsSync(log), 5_000);
  const secondAnswer = (await place.run(["approvals", "allow", asked])).exit;
  await pause(200);
  const effects = existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0;
  return { asked, openAfterCrash, firstAnswer, secondAnswer, effects };
}

async function interruptedAfter(place: Place, execution: string): Promise<Omit<Life["crash"], "survivors">> {
  const listed = await executionsOf(place);
  const interrupted = listed.find(({ execution_id }) => execution_id === execution);
  return { interrupted: interrupted?.status ?? null, remembered: listed.length > 1 };
}

interface Listed {
  readonly execution_id: string;
  readonly status: string;
  readonly tool: string | null;
}

async function executionsOf(place: Place): Promise<Listed[]> {
  return Object.values(await place.json<Listed[]>(["executions", "list", "--all"])).filter(
    (entry): entry is Listed => typeof entry === "object",
  );
}

async function resourcesOf(place: Place, host: RunningHost, executions: number): Promise<Life["resources"]> {
  const run = async (count: number): Promise<void> => {
    const replies = await sendAll(
      place,
      Array.from({ length: count }, () => READ),
    );
    // Calls that were refused would cost less than those that are said to have been made.
    const done = replies.filter(({ status }) => status === "completed").length;
    if (done !== count) throw failed(`of ${count} calls that are allowed, ${done} were completed`);
  };
  // The first calls fill caches of a fixed size; only what comes after them counts as growth.
  await run(Math.ceil(executions / 2));
  const files = descriptors(host.pid);
  let rssGrowthBytes = Number.POSITIVE_INFINITY;
  for (let round = 0; round < GROWTH_ROUNDS && !(rssGrowthBytes <= RSS_GROWTH_MAX_BYTES); round += 1) {
    const rss = rssBytes(host.pid);
    await run(executions);
    rssGrowthBytes = rssBytes(host.pid) - rss;
    if (Number.isNaN(rssGrowthBytes)) break;
  }
  return {
    executions,
    idleCpuShare: await idleCpuShare(host.pid),
    rssGrowthBytes,
    descriptorGrowth: descriptors(host.pid) - files,
    zombies: zombiesOf(host.pid),
  };
}

/**
 * The quietest of several looks, because garbage and telemetry left over from a busy time would distort a single one.
 */
async function idleCpuShare(pid: number): Promise<number> {
  let quietest = Number.NaN;
  for (let look = 0; look < IDLE_LOOKS; look += 1) {
    const [cpu, sinceMs] = [cpuNs(pid), performance.now()];
    await pause(IDLE_MS);
    const share = (cpuNs(pid) - cpu) / 1e6 / (performance.now() - sinceMs);
    quietest = look === 0 ? share : Math.min(quietest, share);
    if (!(quietest > IDLE_SHARE_MAX)) break;
  }
  return quietest;
}

/** Sequence numbers of the records whose replies arrived before the host was gone. */
async function stopUnderLoad(place: Place, host: RunningHost): Promise<number[]> {
  const load = place.stream(["send"], `${READ}\n`.repeat(5_000));
  await until(() => load.output().length > 2_000);
  host.kill("SIGTERM");
  await host.ended;
  await load.ended;
  const lines = load.output().split("\n").slice(0, -1);
  const replies = lines.map((line) => JSON.parse(line) as SeenReply);
  return replies.flatMap(({ record }) => (typeof record?.seq === "number" ? [record.seq] : []));
}

/** Sockets, temporary files and children that a stop should have taken away. */
function leftovers(place: Place): string[] {
  const sockets = existsSync(place.sockets) ? readdirSync(place.sockets, { recursive: true }) : [];
  const unfinished = readdirSync(place.state, { recursive: true })
    .map(String)
    .filter((name) => /\.(?:new|tmp|sock)$/.test(name));
  const running = processesWith(place.root);
  return [...sockets.map(String).filter((name) => name.endsWith(".sock")), ...unfinished, ...running];
}

function shapeOf({ type, body }: SeenRecord): string {
  const decision = Object(body["decision"]) as { readonly rules?: unknown };
  return [type, body["tool"] ?? "", JSON.stringify(decision.rules ?? "")].join(" ").trim();
}
