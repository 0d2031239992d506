import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Reply } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { CONFIGURATION, Playground, toolCall } from "../playground.ts";

const WITH_TERMINALS = CONFIGURATION.replace(
  "[capabilities]",
  "[capabilities]\nterminal_open = true\nterminal_write = true\nterminal_read = true\nterminal_resize = true\nterminal_close = true",
).replace('sleep = ["*"]', 'sleep = ["*"], bash = [{ any = true, unsafe = true }]');

/** An agent behind `femtoclaw send`: one session, one reply for each call. */
class Sender {
  readonly #child: ReturnType<Playground["spawn"]>;
  readonly #lines: Interface;
  readonly #replies: AsyncIterator<string>;

  constructor(place: Playground) {
    this.#child = place.spawn(["send"]);
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#replies = this.#lines[Symbol.asyncIterator]();
  }

  async call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Reply> {
    this.#child.stdin.write(`${JSON.stringify(toolCall(tool, args))}\n`);
    const { value } = await this.#replies.next();
    return JSON.parse(String(value)) as Reply;
  }

  async shownUntil(id: string, pattern: RegExp): Promise<string> {
    let shown = "";
    for (let tries = 0; tries < 100 && !pattern.test(shown); tries += 1) {
      const { result } = await this.call("terminal_read", { terminal_id: id, timeout_ms: 500 });
      shown += String(result?.["data"] ?? "");
    }
    expect(shown).toMatch(pattern);
    return shown;
  }

  end(): void {
    this.#child.stdin.end();
  }
}

type Event = readonly [interval: number, code: string, data: string];

/** A player in small: the header, then the events with their times from the beginning. */
function decoded(text: string): { header: Record<string, unknown>; events: Event[] } {
  const [first = "", ...lines] = text.trimEnd().split("\n");
  const header = JSON.parse(first) as Record<string, unknown>;
  const events = lines.filter((line) => !line.startsWith("#")).map((line) => JSON.parse(line) as Event);
  for (const [interval, code, data] of events) {
    expect(interval).toBeGreaterThanOrEqual(0);
    expect("oirmx").toContain(code);
    expect(typeof data).toBe("string");
  }
  return { header, events };
}

describe("terminals by the command line", () => {
  it("are opened, drawn on, watched, listed and exported, also from a stopped journal", async () => {
    await using place = new Playground(WITH_TERMINALS);
    const host = await place.up();
    const agent = new Sender(place);
    const opened = await agent.call("terminal_open", { bin: "bash", argv: ["--norc"], cols: 70, rows: 20 });
    expect(opened).toMatchObject({ status: "completed", result: { cols: 70, rows: 20 } });
    const id = String(opened.result?.["terminal_id"]);
    expect(id).toBe(opened.execution_id);

    const screen = "printf '\\033[?1049h\\033[2J\\033[5;5Hdrawn\\033]52;c;eA==\\007'; sleep 100";
    await agent.call("terminal_write", { terminal_id: id, data: `${screen}\r` });
    await agent.shownUntil(id, /\u001b\[5;5Hdrawn/);
    await agent.call("terminal_resize", { terminal_id: id, cols: 100, rows: 30 });
    await agent.call("terminal_write", { terminal_id: id, data: "\u0003" });
    await agent.call("terminal_write", { terminal_id: id, data: "printf '\\033[?1049l'; stty size\r" });
    await agent.shownUntil(id, /30 100/);

    const { value: listed } = await place.json<Record<string, unknown>[]>(["terminal", "list"]);
    expect(listed).toMatchObject([{ id, program: "/usr/bin/bash", cols: 100, rows: 30, running: true }]);
    expect((await place.run(["status"])).stdout).toContain("1 open");
    const watching = place.run(["terminal", "attach", id]);
    await agent.call("terminal_write", { terminal_id: id, data: "sleep 1; exit 3\r" });
    const watched = await watching;
    expect(watched).toMatchObject({ code: 0, stderr: expect.stringContaining("the terminal has ended") });
    expect(watched.stdout).toContain("\u001b[5;5Hdrawn");
    expect(watched.stdout).not.toContain("\u001b]52");

    const live = await place.run(["terminal", "export", id]);
    const [opening] = (await place.executions()).filter(({ execution_id }) => execution_id === id);
    const record = String(opening?.record?.seq);
    expect((await place.run(["terminal", "export", record])).stdout).toBe(live.stdout);
    agent.end();
    await place.down();
    await host.ended;
    const stopped = await place.run([
      "terminal",
      "export",
      record,
      "--format",
      "asciicast",
      "--out",
      "../session.cast",
    ]);
    expect(stopped).toMatchObject({ code: 0, stdout: "" });
    const cast = readFileSync(join(place.root, "session.cast"), "utf8");
    expect(cast).toBe(live.stdout);
    const { header, events } = decoded(cast);
    expect(header).toMatchObject({ version: 3, term: { cols: 70, rows: 20, type: "xterm-256color" } });
    const shown = events.filter(([, code]) => code === "o").map(([, , data]) => data);
    expect(shown.join("")).toMatch(/drawn[\s\S]*30 100/);
    expect(events).toContainEqual([expect.any(Number), "r", "100x30"]);
    expect(events.at(-1)).toEqual([expect.any(Number), "x", "3"]);
    expect(await place.run(["terminal", "export", id, "--out", "../session.cast"])).toMatchObject({
      code: 70,
      stderr: expect.stringContaining("session.cast is there already"),
    });
    expect((await place.run(["terminal", "export", "no-such"])).stderr).toContain("FEMTO_TERMINAL_NOT_FOUND");
    expect((await place.run(["audit", "verify"])).code).toBe(0);
  });
});
