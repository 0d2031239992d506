/** `down`, `halt` and `reload`: requests to the running host. */

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { OperatorClient } from "@femtoclaw/client";
import { ERRORS, EXIT, FemtoError, printable } from "@femtoclaw/protocol";
import { hostStatus } from "../../process/host-status.ts";
import { countText } from "../../terminal/count-text.ts";
import type { CommandContext, Placed } from "../command-context.ts";
import { heldText, holdLog } from "./known-log.ts";
import { hostToStop, operatorOf } from "./started-host.ts";

/** LIMIT: time for the host's process to disappear after it has closed its last connection. */
const GONE_MS = 10_000;
const lingering = (pid: number): string =>
  `Wait if the machine is busy, and look whether it is there with \`ps -o pid,stat,etime,args -p ${pid}\`. Otherwise end it with \`kill -KILL ${pid}\`. This loses nothing that was answered.`;

export async function down(context: CommandContext, options: { readonly now?: boolean }): Promise<number> {
  const host = await hostToStop(context);
  await using operator = await operatorToStop(context, host);
  const held = await holdLog(context, operator, host);
  // A log that does not fit is reported, but the host is stopped all the same: only then can the right log be put back.
  if (held.fault !== null) context.output.talk(printable(heldText(held), 4_096));
  const { pid } = await hostStatus(operator);
  await operator.stop({ now: options.now ?? false });
  // A host that drains closes its connections last; until then it still has work to finish.
  await operator.closed;
  if (!(await isGone(pid))) {
    const reason = `the host has closed its connections, but process ${pid} has not ended within ${GONE_MS / 1_000} s`;
    throw new FemtoError("FEMTO_HOST_SILENT", reason, { fix: lingering(pid) });
  }
  if (context.output.json) context.output.value({ event: "stopped", pid });
  else context.output.line(`stopped: process ${pid}`);
  return EXIT.ok;
}

/** If no host runs, the error does not advise to start one, because that is not what somebody wants who stops one. */
async function operatorToStop(context: CommandContext, host: Placed): Promise<OperatorClient> {
  try {
    return await operatorOf(context, host);
  } catch (error) {
    const isUsual = error instanceof FemtoError && error.fix === ERRORS.FEMTO_HOST_NOT_RUNNING.fix;
    if (!isUsual || error.code !== "FEMTO_HOST_NOT_RUNNING") throw error;
    const fix = "There is nothing to stop. If you mean the host of another project, name it with --config or --state.";
    throw new FemtoError(error.code, error.message, { fix, cause: error });
  }
}

/**
 * The kill switch of one session. It goes to whichever host answers, because a wrong log is no reason to let an agent
 * continue.
 */
export async function halt(
  context: CommandContext,
  session: string,
  options: { readonly reason?: string },
): Promise<number> {
  await using operator = await operatorToStop(context, await hostToStop(context));
  const { seq, stopped } = await operator.halt(session, options.reason);
  const { output } = context;
  if (output.json) output.value({ session, stopped, record: { seq } });
  else {
    const ended =
      stopped === 0 ? "nothing of it was under way" : `what was under way ends now, ${countText(stopped, "call")}`;
    output.prose(`halted in record ${seq}: ${ended}`);
  }
  return EXIT.ok;
}

/**
 * A changed policy takes effect only by this command and by SIGHUP. A change of the file alone changes nothing that is
 * in force.
 */
export async function reload(context: CommandContext): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const answer = await operator.reload();
  const { revision, before, shadow, shadow_before } = answer;
  const isOther = { inForce: revision !== before, onTrial: shadow !== shadow_before };
  const changed = isOther.inForce || isOther.onTrial;
  if (output.json) output.value({ ...answer, changed });
  else if (!changed) output.prose(`nothing changed: revision ${short(revision)}`);
  else {
    output.prose(
      `in force: revision ${short(revision)}${isOther.inForce ? `, before it ${short(before)}` : ", as before"}`,
    );
    if (isOther.onTrial)
      output.prose(shadow === null ? "nothing is on trial any more" : `on trial: revision ${short(shadow)}`);
  }
  return EXIT.ok;
}

/** Enough of a revision to recognize it. */
const short = (revision: string): string => revision.slice(0, 12);

/** Waits until the process itself is gone, not only its sockets. False if it is still there when the time is over. */
async function isGone(pid: number): Promise<boolean> {
  for (const deadlineMs = performance.now() + GONE_MS; performance.now() < deadlineMs; await sleep(10)) {
    if (!isAlive(pid)) return true;
  }
  return !isAlive(pid);
}

/**
 * False for a zombie, too: an ended process stays in the process table until its parent collects it, which may be
 * never.
 */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== "linux") return true;
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    // The process is gone, or its number belongs to another user's process by now.
    return false;
  }
}

/**
 * Whether a host answers for this configuration. The kernel accepts connections even for a process that hangs, so the
 * host is asked for its status. Throws FEMTO_HOST_SILENT if it says nothing.
 */
export async function hostAnswers(context: CommandContext, loaded = context.load()): Promise<boolean> {
  try {
    await using operator = await context.unprovedOperator(loaded);
    await operator.status();
    return true;
  } catch (error) {
    if (error instanceof FemtoError && error.code === "FEMTO_HOST_NOT_RUNNING") return false;
    throw error;
  }
}
