/** Two fresh deployments that differ in folder, language, time zone and home are sent the same messages. */
import type { Twins } from "../observations.ts";
import { type Command, Place } from "../subject.ts";
import type { SeenReply } from "./call.ts";
import { sendAll } from "./calls.ts";
import { configuration } from "./configuration.ts";

/** Messages of one session: so few of them are refused that none of the quotas, which follow the clock, is reached. */
const SESSION_ROUNDS = 10;

export async function observeTwins(command: Command, messages: number): Promise<Twins> {
  const rounds = Math.ceil(messages / messagesOf(0).length);
  const script = Array.from({ length: rounds }, (_, round) => messagesOf(round)).flat();
  const first = await transcript(command, script, { TZ: "UTC", LC_ALL: "C" });
  const second = await transcript(command, script, { TZ: "Asia/Kathmandu", LC_ALL: "tr_TR.UTF-8" });
  const at = script.findIndex((_, index) => first[index] !== second[index]);
  const firstDifference = at === -1 ? null : `${script[at]}: ${first[at]} and ${second[at]}`;
  return { messages: script.length, firstDifference };
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
  environment: Readonly<Record<string, string>>,
): Promise<string[]> {
  // One call at a time: how calls that run at once interleave is for the scheduler to say.
  const alone = configuration().replace(/^concurrency = .*$/m, "concurrency = 1");
  await using place = new Place(command, alone, environment);
  const host = await place.up();
  const lines: string[] = [];
  const length = SESSION_ROUNDS * messagesOf(0).length;
  for (let from = 0; from < script.length; from += length) {
    const replies = await sendAll(place, script.slice(from, from + length));
    lines.push(...replies.map((reply) => normalised(reply, place.root)));
  }
  host.kill("SIGTERM");
  await host.ended;
  return lines;
}

/** Without what has to differ: identifiers, times, and the folder's own name. */
function normalised(reply: SeenReply, root: string): string {
  return JSON.stringify(reply, (key, value: unknown) => {
    if (["execution_id", "timestamp", "duration_ms", "log", "revision"].includes(key)) return undefined;
    return typeof value === "string" ? value.replaceAll(root, "") : value;
  });
}
