/** Terminals of a host of an ordinary user on a machine without bubblewrap, where Landlock confines programs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentClient, LogMemory } from "@femtoclaw/client";
import type { Reply } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { hasLandlock, hasNamespaces } from "../../../sandbox/test/stranger.ts";
import { CONFIGURATION, type Playground, toolCall } from "../playground.ts";
import { placeWithoutBubblewrap } from "../without-bubblewrap.ts";
import { isSleeping, uniqueSeconds } from "./running-sleep.ts";

const CONFIGURED = CONFIGURATION.replace(
  "[capabilities]",
  "[capabilities]\nterminal_open = true\nterminal_write = true\nterminal_read = true\nterminal_resize = true\nterminal_close = true",
).replace('sleep = ["*"]', 'sleep = ["*"], sh = [{ any = true, unsafe = true }]');

class Shell {
  readonly #agent: AgentClient;
  readonly id: string;
  readonly sandbox: unknown;

  private constructor(agent: AgentClient, { result }: Reply) {
    this.#agent = agent;
    this.id = String(result?.["terminal_id"]);
    this.sandbox = result?.["sandbox"];
  }

  static async open(agent: AgentClient): Promise<Shell> {
    const reply = await proposed(agent, "terminal_open", { bin: "sh" });
    expect(reply).toMatchObject({ status: "completed" });
    return new Shell(agent, reply);
  }

  async use(verb: string, args: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
    return await proposed(this.#agent, `terminal_${verb}`, { terminal_id: this.id, ...args });
  }

  async type(data: string): Promise<void> {
    expect(await this.use("write", { data })).toMatchObject({ status: "completed" });
  }

  async until(pattern: RegExp): Promise<void> {
    let shown = "";
    for (let tries = 0; tries < 100 && !pattern.test(shown); tries += 1) {
      shown += String((await this.use("read", { timeout_ms: 500 })).result?.["data"] ?? "");
    }
    expect(shown).toMatch(pattern);
  }
}

/** A client of this process, which may be another user's than the commands: it remembers in a home of its own. */
async function agentOf(place: Playground): Promise<AgentClient> {
  const environment = { HOME: place.folder("home-of-agent") };
  return await AgentClient.connect(
    place.runtime,
    new LogMemory({ environment, place: place.runtime, warn: () => undefined }),
  );
}

async function proposed(agent: AgentClient, tool: string, args: Readonly<Record<string, unknown>>): Promise<Reply> {
  return await agent.propose(Buffer.from(JSON.stringify(toolCall(tool, args))));
}

/** Begins what hears nothing, in the background and in another session where there may be one. */
async function leave(shell: Shell): Promise<string[]> {
  const [front, deaf, apart] = [uniqueSeconds(), uniqueSeconds(), uniqueSeconds()] as const;
  const inBackground = `(trap '' HUP TERM INT; sleep ${deaf}) & (/usr/bin/setsid sleep ${apart} || sleep ${apart}) &`;
  await shell.type(`${inBackground} sleep ${front}\r`);
  await expect.poll(() => [front, deaf, apart].every(isSleeping)).toBe(true);
  return [front, deaf, apart];
}

interface ClosedTerminal {
  readonly terminal: string;
  readonly why: string;
}

/** What the journal of a host that has stopped says of the ends of its terminals. */
async function closedTerminals(place: Playground): Promise<ClosedTerminal[]> {
  expect(await place.run(["audit", "export", "--format", "jsonl", "--out", "../records.jsonl"])).toMatchObject({
    code: 0,
  });
  const lines = readFileSync(join(place.root, "records.jsonl"), "utf8").split("\n").filter(Boolean);
  return lines
    .map((line) => JSON.parse(line) as { readonly type: string; readonly body: ClosedTerminal })
    .flatMap(({ type, body }) => (type === "terminal.closed" ? [body] : []));
}

describe
  .runIf(hasLandlock)
  .each([
    ["landlock", "is refused"] as const,
    ...(hasNamespaces() ? [["landlock, namespaces", "works"] as const] : []),
  ])("terminals under %s", (sandbox, unshare) => {
  it("are used, limited and closed as under bubblewrap, and recorded with their sandbox", async () => {
    await using place = placeWithoutBubblewrap(unshare, `${CONFIGURED}[terminals]\nidle_ms = 4000\n`);
    await place.up();
    await using agent = await agentOf(place);
    const ends = await Shell.open(agent);
    await ends.type("echo $((6 * 7)); sleep 600\r");
    await ends.until(/42/);
    await ends.type("\u0003");
    await ends.type("exit 3\r");
    await expect
      .poll(async () => (await ends.use("read")).result)
      .toMatchObject({ running: false, exit_code: 3, signal: null });
    const closed = await Shell.open(agent);
    const left = await leave(closed);
    expect(await closed.use("close")).toMatchObject({ status: "completed" });
    const idle = await Shell.open(agent);
    left.push(...(await leave(idle)));
    await expect.poll(() => left.some(isSleeping)).toBe(false);
    expect([ends, closed, idle].map((shell) => shell.sandbox)).toEqual([sandbox, sandbox, sandbox]);
    const shown = await place.run(["--json", "executions", "show", ends.id]);
    expect(shown.stdout).toContain(`"sandbox":"${sandbox}"`);
    await place.down();
    const why = Object.fromEntries((await closedTerminals(place)).map((closing) => [closing.terminal, closing.why]));
    expect(why).toEqual({ [ends.id]: "exited", [closed.id]: "closed", [idle.id]: "idle" });
    expect((await place.run(["audit", "verify"])).code).toBe(0);
  });

  it("leave nothing of themselves when their host is killed", async () => {
    await using place = placeWithoutBubblewrap(unshare, CONFIGURED);
    const host = await place.up();
    await using agent = await agentOf(place);
    const shell = await Shell.open(agent);
    const left = await leave(shell);
    host.kill("SIGKILL");
    await host.ended;
    await expect.poll(() => left.some(isSleeping)).toBe(false);
    await place.up();
    await place.down();
    expect(await closedTerminals(place)).toMatchObject([{ terminal: shell.id, why: "interrupted" }]);
  });
});
