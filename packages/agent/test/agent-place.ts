/** A real runtime in a folder of its own, whose session is the gate of an agent. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Gate } from "@femtoclaw/agent";
import type { ApprovalCard } from "@femtoclaw/protocol";
import {
  createRuntime,
  type ExecutionView,
  listExecutions,
  type Runtime,
  resolveConfiguration,
} from "@femtoclaw/runtime";

export class AgentPlace implements AsyncDisposable {
  readonly runtime: Runtime;
  readonly #root: string;

  private constructor(runtime: Runtime, root: string) {
    this.runtime = runtime;
    this.#root = root;
  }

  static async start(): Promise<AgentPlace> {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "femtoclaw-agent-")));
    for (const name of ["out", "asked", "secrets"]) mkdirSync(join(root, "w", name), { recursive: true });
    writeFileSync(join(root, "w/notes.txt"), "buy oat milk\n");
    writeFileSync(join(root, "w/long.txt"), "z".repeat(2_000));
    writeFileSync(join(root, "w/secrets/key.txt"), "hunter2\n");
    const configuration = resolveConfiguration({
      configuration: {
        workspace: "w",
        capabilities: { fs_read: true, fs_write: true },
        allow: { read: ["w"], write: ["w/out"] },
        ask: { write: ["w/asked"] },
        deny: { read: ["w/secrets"] },
        memory: { path: "state" },
      },
      baseDirectory: root,
      environment: { HOME: root },
    });
    return new AgentPlace(await createRuntime({ configuration }), root);
  }

  /** A gate of its own, which is a session of its own. */
  gate(changes: Partial<Gate> = {}): Gate {
    const session = this.runtime.openSession({ channel: "library", label: "test" });
    return {
      tools: () => this.runtime.tools(),
      propose: (message, options) => session.propose(message, options),
      wait: (execution) => session.wait(execution),
      cancel: (execution) => session.cancel(execution),
      ...changes,
    };
  }

  async questions(): Promise<ApprovalCard[]> {
    return await this.runtime.approvals.list();
  }

  async answer(answer: "granted" | "refused"): Promise<void> {
    const [question] = await this.questions();
    if (question === undefined) throw new Error("nothing is asked");
    const { id, digest } = question;
    await this.runtime.approvals.answer({ id, digest, answer, scope: "once", by: "test" });
  }

  /** The newest first. */
  async executions(): Promise<ExecutionView[]> {
    return await listExecutions(this.runtime.reader, { limit: 100 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime.close();
    rmSync(this.#root, { recursive: true, force: true });
  }
}
