/** A runtime that allows a shell on terminals, and a session that uses one as an agent would. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import type { Configuration, Reply } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import { onTestFinished, vi } from "vitest";
import { call, type Home, temporaryHome } from "../runtime-fixture.ts";

export const TERMINALS: Configuration = {
  capabilities: {
    process_exec: true,
    fs_read: true,
    terminal_open: true,
    terminal_write: true,
    terminal_read: true,
    terminal_resize: true,
    terminal_close: true,
  },
  allow: {
    read: ["."],
    run: {
      bash: [{ any: true, unsafe: true }],
      cat: ["*"],
      sleep: ["*"],
      ls: ["*"],
    },
  },
};

export interface Place {
  readonly home: Home;
  readonly runtime: Runtime;
  readonly session: Session;
}

export async function terminalPlace(configuration: Configuration = {}): Promise<Place> {
  const home = temporaryHome();
  const runtime = await home.start({ configuration: { ...TERMINALS, ...configuration } });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return { home, runtime, session: runtime.openSession({ channel: "agent" }) };
}

export class Shell {
  readonly session: Session;
  readonly id: string;
  /** All that was read of it. */
  shown = "";

  private constructor(session: Session, id: string) {
    this.session = session;
    this.id = id;
  }

  /** Bash without anything that a person's configuration adds; quiet where `more` does not make it speak. */
  static async open(session: Session, more: Readonly<Record<string, unknown>> = {}): Promise<Shell> {
    const reply = await session.propose(
      call("terminal_open", { bin: "bash", argv: ["--norc", "--noprofile"], env: {}, ...more }),
    );
    if (reply.status !== "completed") throw new Error(JSON.stringify(reply));
    return new Shell(session, String(reply.result?.["terminal_id"]));
  }

  async use(verb: "write" | "read" | "resize" | "close", args: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
    return await this.session.propose(call(`terminal_${verb}`, { terminal_id: this.id, ...args }));
  }

  async type(data: string): Promise<void> {
    const reply = await this.use("write", { data });
    if (reply.status !== "completed") throw new Error(JSON.stringify(reply));
  }

  /** Reads on until the pattern is there. */
  async until(pattern: RegExp): Promise<string> {
    for (let tries = 0; tries < 200; tries += 1) {
      if (pattern.test(this.shown)) return this.shown;
      const { result } = await this.use("read", { timeout_ms: 500 });
      this.shown += String(result?.["data"] ?? "");
      if (result?.["running"] === false && result["bytes"] === 0) break;
    }
    if (pattern.test(this.shown)) return this.shown;
    throw new Error(`never shown: ${String(pattern)} in ${JSON.stringify(this.shown)}`);
  }
}

/** Waits for what has to come true. */
export async function eventually<T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const found = async (): Promise<T> => {
    const seen = await look();
    assert(seen !== undefined && seen !== false, "it never came true");
    return seen;
  };
  return await vi.waitFor(found, { timeout: 120_000 });
}

/** Processes of this machine whose arguments hold the text. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && argumentsOf(pid).includes(text));
}

function argumentsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    // It has ended since the folder was listed.
    return "";
  }
}
