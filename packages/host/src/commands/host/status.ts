/** `status`: shows how the running host is doing. */

import { EXIT, type LogParent, printable } from "@femtoclaw/protocol";
import type { RuntimeStatus, ShadowStatus, UpstreamStatus } from "@femtoclaw/runtime";
import { type HostStatus, hostStatus } from "../../process/host-status.ts";
import { countText } from "../../terminal/count-text.ts";
import { unresolvedText, waitingText } from "../../terminal/open-ends-text.ts";
import type { Output } from "../../terminal/output.ts";
import { wordTable } from "../../terminal/table.ts";
import { telemetryRows } from "../../terminal/telemetry-rows.ts";
import { witnessRow } from "../../terminal/witness-row.ts";
import type { WebhookStatus } from "../../webhook/webhook-delivery.ts";
import type { CommandContext } from "../command-context.ts";
import { type HeldLog, heldText, holdLog } from "./known-log.ts";
import { type HostInQuestion, operatorOf, startedHost } from "./started-host.ts";

export async function status(context: CommandContext): Promise<number> {
  const { output } = context;
  const host = await startedHost(context);
  await using operator = await operatorOf(context, host);
  const held = await holdLog(context, operator, host);
  const value = await hostStatus(operator);
  // The fault of the log comes first: a configuration can be read and trusted again, but a log that does not fit is an
  // attack or a loss.
  const faults = [held.fault, host.fault].filter((fault) => fault !== null);
  const exit = faults[0]?.exit ?? EXIT.ok;
  if (output.json) {
    output.value({ ...value, configuration: configurationAs(host), remembered: rememberedAs(held) });
    return exit;
  }
  const rows = [...statusRows(value, output), ...configurationRows(host, output)];
  for (const line of wordTable([...rows, heldRow(held, output)], output.dataColumns)) output.line(line);
  for (const { fix } of faults) output.prose(`fix: ${fix}`);
  return exit;
}

/** For scripts: the configuration that the host was started by, and whether commands go by it. */
function configurationAs({ configuration: path, fault }: HostInQuestion): Record<string, unknown> {
  return fault === null ? { path, counts: true } : { path, counts: false, code: fault.code, reason: fault.message };
}

/** A running host is shown even if its configuration does not count. Otherwise it would seem to be gone. */
function configurationRows({ configuration, fault }: HostInQuestion, output: Output): string[][] {
  if (fault === null) return [["configuration", printable(configuration, 4_096)]];
  return [
    ["configuration", output.style("red", printable(fault.message, 4_096))],
    [
      "",
      `the host continues with what it read earlier from ${printable(configuration, 4_096)}; other commands refuse the file`,
    ],
  ];
}

/** For scripts: what is remembered of the log. */
function rememberedAs(held: HeldLog): Record<string, unknown> {
  if (held.fault !== null) return { fits: false, code: held.fault.code, reason: held.fault.message };
  const { before, now } = held.met;
  const { origin, size, root } = now;
  const seen = before === null ? null : { size: before.size, root: before.root, seen_at: before.seenAt };
  return { fits: true, origin, size, root, before: seen };
}

function heldRow(held: HeldLog, output: Output): string[] {
  const text = printable(heldText(held), 2_000);
  return ["remembered", held.fault === null ? text : output.style("red", text)];
}

function statusRows(status: HostStatus, output: Output): string[][] {
  const { counters, policy, capabilities, fault } = status;
  const { completed, refused, failed, interrupted, messages } = counters;
  return [
    ["phase", phaseText(status, output)],
    ["version", status.version],
    ["integrity", `${status.integrity}: ${printable(status.integrity_reason)}`],
    ["deployment", status.deployment?.digest ?? "unknown"],
    ["process", `${status.pid}, boot ${status.boots} of this journal`],
    ["log", status.log],
    ...(status.parent === null ? [] : [["", parentText(status.parent)]]),
    ["records", recordsText(status)],
    ["disk", diskText(status.memory, output)],
    ["executions", `${completed} completed, ${refused} refused, ${failed} failed, ${interrupted} interrupted`],
    ["", `${status.running} running, ${status.queued} queued`],
    ...(status.waiting === 0 ? [] : [["", output.style("cyan", waitingText(status.waiting))]]),
    ...(status.unresolved === 0 ? [] : [["", output.style("yellow", unresolvedText(status.unresolved))]]),
    ...sessionRows(status.sessions, output),
    ...(status.terminals === 0
      ? []
      : [["terminals", `${status.terminals} open: look with \`femtoclaw terminal list\``]]),
    ["messages", String(messages)],
    ["policy", `${policy.rules} rules, revision ${policy.revision.slice(0, 12)}`],
    ...(policy.shadow === null ? [] : [["on trial", trialText(policy.shadow, output)]]),
    ...status.upstreams.map((upstream) => ["MCP server", upstreamText(upstream, output)]),
    ["capabilities", `${capabilities.enabled} of ${capabilities.registered} enabled`],
    ["sandbox", status.sandbox ?? "not needed by any enabled capability"],
    ...(status.bounds === null ? [] : [["bounds", status.bounds]]),
    ...telemetryRows(status, output),
    ...(status.webhook === null ? [] : [["webhook", webhookText(status.webhook, output)]]),
    ...(status.witnesses.length === 0 ? [["witnesses", "none"]] : []),
    ...status.witnesses.map((witness) => ["witness", witnessRow(witness).join("  ")]),
    ["agents", printable(status.agent_socket, 4_096)],
    ...Object.entries(status.agent_sockets).map(([name, path]) => [`agent ${name}`, printable(path, 4_096)]),
    ["operators", printable(status.operator_socket, 4_096)],
    ...(fault === null ? [] : [["fault", output.style("red", `${fault.code}: ${printable(fault.reason, 2_000)}`)]]),
  ];
}

/** What a person wants to know first: whether calls are accepted, and if not, why. */
function phaseText({ phase, ready, not_ready, fault }: HostStatus, output: Output): string {
  if (fault !== null) return output.style("red", phase);
  if (ready || not_ready === null) return output.style("green", phase);
  return `${phase}: ${output.style("red", `no calls are taken (${not_ready.code})`)}`;
}

function webhookText({ origin, delivered, waiting, given_up, error }: WebhookStatus, output: Output): string {
  const text = `${printable(origin)}: ${delivered} told, ${waiting} waiting${given_up === 0 ? "" : `, ${given_up} given up`}`;
  return error === null ? text : `${text}; ${output.style("red", printable(error, 1_000))}`;
}

function trialText({ rules, revision, undecided }: ShadowStatus, output: Output): string {
  const text = `${rules} rules, revision ${revision.slice(0, 12)}, in force nowhere`;
  return undecided === 0 ? text : `${text}; ${output.style("yellow", `${undecided} calls not decided by them`)}`;
}

function upstreamText({ server, status, reason, waiting }: UpstreamStatus, output: Output): string {
  const why = reason === null ? "" : `: ${output.style("red", printable(reason, 300))}`;
  const text = `${printable(server)} ${status}${why}`;
  const waits = `${waiting} new or changed, and not offered: \`femtoclaw mcp pins list\``;
  return waiting === 0 ? text : `${text}; ${output.style("yellow", waits)}`;
}

/** LIMIT: sessions that are shown to people; `--json` has more. */
const SHOWN_SESSIONS = 20;

function sessionRows(sessions: RuntimeStatus["sessions"], output: Output): string[][] {
  const rows = sessions.slice(0, SHOWN_SESSIONS).map(({ id, channel, agent, calls, refusals, seconds, halted }) => {
    const name = agent === null ? "" : ` "${printable(agent, 40)}"`;
    const did = `${channel}${name}: ${countText(calls, "call")}, ${refusals} refused, ${seconds} s`;
    return ["session", `${id} ${did}${halted === null ? "" : output.style("red", `, halted (${halted})`)}`];
  });
  const more = sessions.length - rows.length;
  return more > 0 ? [...rows, ["", `and ${more} more`]] : rows;
}

function parentText({ origin, size, reason }: LogParent): string {
  return `continues ${size} records of ${origin} (${reason})`;
}

const mib = (bytes: number): string => `${Math.floor(bytes / 1_048_576)} MiB`;

function recordsText({ records, memory: { journal_bytes }, state_directory }: RuntimeStatus): string {
  const size = journal_bytes === null ? "" : `, ${(journal_bytes / 1_048_576).toFixed(1)} MiB`;
  return `${records}${size} in ${printable(state_directory, 4_096)}`;
}

function diskText({ full, free_bytes, reserve_bytes }: RuntimeStatus["memory"], output: Output): string {
  const room = `${free_bytes === null ? "unknown" : mib(free_bytes)} free, ${mib(reserve_bytes)} in reserve`;
  return full === null ? room : output.style("red", `full, no calls are taken (${room}): ${printable(full, 2_000)}`);
}
