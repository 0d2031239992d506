/**
 * Sends the same messages to two fresh deployments that differ in folder, language, time zone and home, and if possible
 * in user and host name.
 */
import { spawnSync } from "node:child_process";
import type { Twins } from "../observations.ts";
import { type Command, failed, Place } from "../subject.ts";
import { recordsOf } from "./audit.ts";
import type { SeenReply } from "./call.ts";
import { sendAll } from "./calls.ts";
import { configuration } from "./configuration.ts";
import { type ServiceUser, serviceUser } from "./service-user.ts";

/** Messages per session: few enough that refusals never reach a quota, because quotas depend on the clock. */
const SESSION_ROUNDS = 10;

export async function observeTwins(command: Command, messages: number): Promise<Twins> {
  const rounds = Math.ceil(messages / messagesOf(0).length);
  const script = Array.from({ length: rounds }, (_, round) => messagesOf(round)).flat();
  const other = elsewhere();
  const first = await transcript(command, script, { environment: { TZ: "UTC", LC_ALL: "C" }, user: null });
  const second = await transcript(under(other, command), script, {
    environment: { TZ: "Asia/Kathmandu", LC_ALL: "tr_TR.UTF-8" },
    user: other?.user ?? null,
  });
  const at = first.findIndex((line, index) => line !== second[index]);
  const firstDifference = at === -1 ? null : `${script[at] ?? "the records"}: ${first[at]} and ${second[at]}`;
  return { messages: script.length, otherUserAndHost: other !== null, firstDifference };
}

interface Elsewhere {
  /** The command prefix that starts a program there. */
  readonly by: Command;
  readonly user: ServiceUser | null;
}

function under(other: Elsewhere | null, command: Command): Command {
  if (other === null) return command;
  const [file, ...prefix] = other.by;
  return [file, ...prefix, ...command];
}

/**
 * Another user under another host name: root becomes an ordinary user, anyone else root in a namespace. Null if neither
 * works.
 */
function elsewhere(): Elsewhere | null {
  const user = serviceUser();
  const isRoot = process.getuid?.() === 0;
  if (isRoot && user === null) return null;
  const namespace = ["/usr/bin/unshare", "--uts", ...(isRoot ? [] : ["--user", "--map-root-user"])] as const;
  const renamed = 'echo elsewhere > /proc/sys/kernel/hostname && exec "$@"';
  const by: Command = [...namespace, "/bin/sh", "-c", renamed, "sh", ...(user?.by ?? [])];
  const [file, ...args] = by;
  return spawnSync(file, [...args, "/bin/true"], { stdio: "ignore" }).status === 0 ? { by, user } : null;
}

function messagesOf(round: number): string[] {
  const call = (tool: string, args: Readonly<Record<string, unknown>>): string =>
    JSON.stringify({ tool_call: { tool, args } });
  return [
    call("fs_write", { path: `out/${round}`, content: `round ${round}`, mode: "create" }),
    call("fs_read", { path: `out/${round}` }),
    call("fs_read", { path: "secrets/token.txt" }),
    call("fs_read", { path: "/etc/passwd" }),
    call("process_exec", { bin: "echo", argv: [String(round)] }),
    call("process_exec", { bin: "touch", argv: ["out/unpermitted"] }),
    call("fs_raed", {}),
    call("fs_read", { path: 7 }),
    JSON.stringify({ message: { content: `hello ${round}` } }),
    `{"both":${round}}`,
  ];
}

async function transcript(
  command: Command,
  script: readonly string[],
  { environment, user }: { environment: Readonly<Record<string, string>>; user: ServiceUser | null },
): Promise<string[]> {
  // One call at a time, because the scheduler decides how concurrent calls interleave.
  const alone = configuration().replace(/^concurrency = .*$/m, "concurrency = 1");
  await using place = new Place(command, alone, environment);
  if (user !== null) place.handTo(user);
  const host = await place.up();
  const lines: string[] = [];
  const length = SESSION_ROUNDS * messagesOf(0).length;
  for (let from = 0; from < script.length; from += length) {
    const messages = script.slice(from, from + length);
    const replies = await sendAll(place, messages);
    if (replies.length !== messages.length) {
      throw failed(`${messages.length} messages were sent, and ${replies.length} answered`);
    }
    lines.push(...replies.map((reply) => normalised(reply, place.root)));
  }
  host.kill("SIGTERM");
  await host.ended;
  return [...lines, (await recordsOf(place)).records.map(({ type }) => type).join(" ")];
}

/** Removes what has to differ: identifiers, times, and the name of the folder. */
function normalised(reply: SeenReply, root: string): string {
  return JSON.stringify(reply, (key, value: unknown) => {
    if (["execution_id", "timestamp", "duration_ms", "log", "revision"].includes(key)) return undefined;
    return typeof value === "string" ? value.replaceAll(root, "") : value;
  });
}
