/** How a running host treats calls: honest ones, ones that no rule permits, and ones that are no calls at all. */
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { AgentVerb, OperatorVerb } from "@femtoclaw/protocol";
import type { Answered, CallName, Life } from "../observations.ts";
import { askSocket, proposal, SocketLines } from "../socket-line.ts";
import type { Place } from "../subject.ts";
import { answered, callOf, type SeenReply } from "./call.ts";
import { CONCURRENCY } from "./configuration.ts";
import { NAMESPACES, ownNamespaces, processesWith } from "./process-table.ts";
import { until } from "./until.ts";

/** Each of these would write this file if anything executed it. */
const FORBIDDEN = "out/forbidden";
const call = (tool: string, args: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ tool_call: { tool, args } });
const forbidden = call("fs_write", { path: FORBIDDEN, content: "x", mode: "create" });

const MALFORMED: Readonly<Record<string, string | Uint8Array>> = {
  "text that is no JSON": "{tool_call:",
  "bytes that are no UTF-8": Buffer.concat([Buffer.from(forbidden.slice(0, -1)), Buffer.from([0xff, 0x7d])]),
  "a byte order mark": `\ufeff${forbidden}`,
  "a key twice": forbidden.replace('"tool"', '"tool":"fs_read","tool"'),
  "both forms at once": forbidden.replace(/\}$/, ',"message":{"content":"x"}}'),
  "neither form": '{"call":{}}',
  "a field too many": forbidden.replace(/\}$/, ',"approved":true}'),
  "a lone surrogate": forbidden.replace('"x"', '"\\ud800"'),
  "an integer that is not exact": call("fs_read", { path: "notes.txt" }).replace(
    /\}\}\}$/,
    ',"offset":9007199254740993}}}',
  ),
  "a hundred thousand levels": `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  "more bytes than are taken": call("fs_write", { path: FORBIDDEN, content: "x".repeat(2_000_000), mode: "create" }),
  "nothing at all": "",
};

export async function malformedMessages(place: Place): Promise<Life["malformed"]> {
  const seen: Life["malformed"][number][] = [];
  for (const [name, message] of Object.entries(MALFORMED)) {
    const answer = await askSocket(join(place.sockets, "agent.sock"), proposal(message));
    const { status, code } = answered((answer?.value ?? {}) as SeenReply, null);
    // An over-long line is refused before it is a message.
    seen.push(
      answer?.ok === false ? { name, status: "refused", code: answer.error?.code ?? null } : { name, status, code },
    );
  }
  return seen;
}

export function forbiddenEffects(place: Place): string[] {
  return [FORBIDDEN, "out/unpermitted", "secrets/written"].filter((name) => existsSync(join(place.root, "p", name)));
}

export async function namedCalls(place: Place, page: string): Promise<Record<CallName, Answered>> {
  const exec = (bin: string, argv: readonly string[], more = {}): Promise<Answered> =>
    callOf(place, "process_exec", { bin, argv, ...more });
  const [message] = (await sendAll(place, ['{"message":{"content":"hello"}}'])) as [SeenReply];
  chmodSync(place.write("p/out/closed", "x"), 0o000);
  return {
    message: answered(message, 0),
    read: await callOf(place, "fs_read", { path: "notes.txt" }),
    write: await callOf(place, "fs_write", { path: "out/written", content: "written", mode: "create" }),
    program: await exec("echo", ["from the sandbox"]),
    fetch: await callOf(place, "net_fetch", { url: `http://${page}/` }),
    unpermittedFetch: await callOf(place, "net_fetch", { url: "http://127.0.0.1:9/" }),
    terminal: await onATerminal(place),
    unknown: await callOf(place, "fs_raed", { path: "notes.txt" }),
    disabled: await callOf(place, "fs_list", { path: "." }),
    badArguments: await callOf(place, "fs_read", { path: "notes.txt", offset: -1 }),
    unpermittedPath: await callOf(place, "fs_read", { path: "/etc/passwd" }),
    unpermittedProgram: await exec("touch", ["out/unpermitted"]),
    deniedPath: await callOf(place, "fs_write", { path: "secrets/written", content: "x", mode: "create" }),
    deniedThroughProgram: await exec("cat", ["secrets/token.txt"]),
    ownConfiguration: await callOf(place, "fs_write", { path: "femtoclaw.toml", content: "", mode: "overwrite" }),
    flood: await exec("yes", []),
    slow: await exec("sleep", ["60"], { timeout_ms: 200 }),
    refusedBySystem: await callOf(place, "fs_read", { path: "out/closed" }),
  };
}

/** What a program on a terminal answers when something is typed. */
async function onATerminal(place: Place): Promise<Answered> {
  await using socket = new SocketLines(join(place.sockets, "agent.sock"));
  const ask = async (tool: string, args: Readonly<Record<string, unknown>>): Promise<SeenReply> =>
    ((await socket.ask(proposal(call(tool, args))))?.value ?? {}) as SeenReply;
  const opened = await ask("terminal_open", { bin: "cat" });
  const terminal_id = opened.result?.["terminal_id"];
  if (typeof terminal_id !== "string") return answered(opened, null);
  await ask("terminal_write", { terminal_id, data: "typed\r" });
  let said = "";
  let read = await ask("terminal_read", { terminal_id, timeout_ms: 1_000 });
  // The terminal echoes what is typed, and the program repeats it.
  for (let look = 0; look < 10 && read.status === "completed"; look += 1) {
    said += String(read.result?.["data"]);
    if (said.split("typed").length > 2) break;
    read = await ask("terminal_read", { terminal_id, timeout_ms: 1_000 });
  }
  await ask("terminal_close", { terminal_id });
  return { ...answered(read, null), text: said };
}

/** The replies of `send`, one for each message. */
export async function sendAll(place: Place, messages: readonly string[]): Promise<SeenReply[]> {
  const { stdout } = await place.run(["send"], { input: messages.map((message) => `${message}\n`).join("") });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SeenReply);
}

/** Makes the same call in each way that a running host offers, and returns the resulting executions. */
export async function bySurfaces(
  place: Place,
): Promise<{ readonly surface: string; readonly execution: string | null }[]> {
  const text = call("fs_read", { path: "notes.txt" });
  const [sent] = (await sendAll(place, [text])) as [SeenReply];
  const answer = await askSocket(join(place.sockets, "agent.sock"), proposal(text));
  const command = await callOf(place, "fs_read", { path: "notes.txt" });
  return [
    { surface: "call", execution: command.execution },
    { surface: "send", execution: sent.execution_id ?? null },
    { surface: "socket", execution: ((answer?.value ?? {}) as SeenReply).execution_id ?? null },
  ];
}

/** The verbs that only an operator may use. The type checker asks for each that is added. */
const OPERATOR_VERBS: Readonly<Record<Exclude<OperatorVerb, AgentVerb>, true>> = {
  status: true,
  stop: true,
  "sessions.halt": true,
  "capabilities.list": true,
  "capabilities.enable": true,
  "capabilities.disable": true,
  "capabilities.packages": true,
  "capabilities.accept": true,
  "capabilities.reset": true,
  "executions.list": true,
  "executions.show": true,
  "executions.watch": true,
  "executions.resolve": true,
  "executions.undo": true,
  "approvals.list": true,
  "approvals.show": true,
  "approvals.watch": true,
  "approvals.answer": true,
  "audit.prove": true,
  "audit.checkpoint": true,
  "audit.checkpoints": true,
  "audit.export": true,
  "audit.erase": true,
  "audit.prune": true,
  "log.records": true,
  "log.summary": true,
  "keys.show": true,
  "keys.rotate": true,
  "terminals.list": true,
  "terminals.watch": true,
  "terminals.recording": true,
  "secrets.add": true,
  "secrets.list": true,
  "secrets.remove": true,
  "upstreams.list": true,
  "upstreams.accept": true,
  "upstreams.reset": true,
  "launch.start": true,
  "launch.read": true,
  "launch.write": true,
  "launch.resize": true,
  "launch.end": true,
  "policy.show": true,
  "policy.decision": true,
  "policy.reload": true,
  replay: true,
  fork: true,
};

export async function operatorVerbsOfAnAgent(place: Place): Promise<Life["agentVerbs"]> {
  const seen: Life["agentVerbs"][number][] = [];
  for (const verb of Object.keys(OPERATOR_VERBS)) {
    const answer = await askSocket(join(place.sockets, "agent.sock"), JSON.stringify({ id: 1, verb }));
    seen.push({ verb, code: answer?.ok === true ? "answered" : (answer?.error?.code ?? null) });
  }
  return seen;
}

export async function isolationOfAChild(place: Place): Promise<Life["isolation"]> {
  const output = async (bin: string, argv: readonly string[]): Promise<string> =>
    (await callOf(place, "process_exec", { bin, argv })).text ?? "";
  const child: Record<string, string> = {};
  for (const name of NAMESPACES)
    child[name] = (await output("readlink", [`/proc/self/ns/${name}`])).trim() || "unknown";
  const processes = (await output("ls", ["/proc"])).split(/\s+/).filter((name) => /^\d+$/.test(name)).length;
  const interfaces = [...(await output("cat", ["/proc/self/net/dev"])).matchAll(/^\s*([^\s:|]+):/gm)].map(
    ([, name]) => name ?? "",
  );
  return { host: ownNamespaces(), child, processes, interfaces };
}

/** Enough calls to fill all places of the runtime and its queue, and more. */
const FLOOD_CALLS = 200;
/** An argument that no other process has, and much longer than anybody waits. */
const HELD_SECONDS = `86398.${process.pid}`;

/** The codes of more concurrent calls than there is room for, while a few programs occupy all places for effects. */
export async function overloadedCodes(place: Place): Promise<string[]> {
  const socket = join(place.sockets, "agent.sock");
  const exec = (bin: string, argv: readonly string[]): string => proposal(call("process_exec", { bin, argv }));
  await using stack = new AsyncDisposableStack();
  const holders = Array.from({ length: CONCURRENCY }, () => stack.use(new SocketLines(socket)));
  const held = holders.map((holder) => holder.ask(exec("sleep", [HELD_SECONDS])));
  // The confining program has the arguments of its program among its own.
  const running = (): number => processesWith(HELD_SECONDS).filter((line) => !line.includes("bwrap")).length;
  await until(() => running() >= CONCURRENCY);
  // A session with a completed call is admitted at once.
  const flood = stack.use(new SocketLines(socket));
  await flood.ask(proposal(call("fs_read", { path: "notes.txt" })));
  for (let calls = 0; calls < FLOOD_CALLS; calls += 1) flood.send(exec("echo", []));
  const codes: string[] = [];
  for (let isHeld = true; codes.length < FLOOD_CALLS; ) {
    const answer = await flood.next();
    codes.push(((answer?.value ?? {}) as SeenReply).error?.code ?? "done");
    if (answer === null) break;
    if (isHeld) for (const holder of holders) holder.send(JSON.stringify({ id: 2, verb: "cancel", request: 1 }));
    isHeld = false;
  }
  await Promise.all(held);
  return codes;
}
