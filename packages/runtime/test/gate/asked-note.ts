/** A home in which a note is written only once operators have signed a yes to it. */

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApprovalCard } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { onTestFinished } from "vitest";
import type { Operator } from "../operators-fixture.ts";
import { call, type Home, type StartOptions, temporaryHome } from "../runtime-fixture.ts";

export interface ApprovalRules {
  readonly operators: readonly Operator[];
  /** How many of them have to agree; two where nothing else is said. */
  readonly approvers?: number;
  readonly operatorKey?: boolean;
  readonly expiresMs?: number;
}

export function notesNeed({ operators, approvers = 2, operatorKey = false, expiresMs }: ApprovalRules): StartOptions {
  return {
    configuration: {
      ask: { write: ["out"], operators: approvers },
      capabilities: { fs_write: true },
      approvals: {
        operators: operators.map(({ vkey }) => vkey),
        operator_key: operatorKey,
        ...(expiresMs === undefined ? {} : { expires_ms: expiresMs }),
      },
    },
  };
}

export async function startedWith(home: Home, rules: ApprovalRules): Promise<Runtime> {
  const runtime = await home.start(notesNeed(rules));
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return runtime;
}

export function homeForNotes(): Home {
  const home = temporaryHome();
  mkdirSync(join(home.root, "out"));
  return home;
}

/** What has been written, or null where nothing was. */
export function noteOf(home: Home): string | null {
  const path = join(home.root, "out/note");
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

/** The card that operators are shown when an agent wants to write the content. */
export async function askedFor(home: Home, runtime: Runtime, content = "once "): Promise<ApprovalCard> {
  const message = call("fs_write", { path: join(home.root, "out/note"), content, mode: "append" });
  const { execution_id } = await runtime.openSession({ channel: "agent" }).propose(message);
  const card = (await runtime.approvals.list()).find((open) => open.execution_id === execution_id);
  if (card === undefined) throw new Error("nothing is asked");
  return card;
}

/** The reply to the call that the card asks about. */
export const replyTo = (runtime: Runtime, { execution_id }: ApprovalCard) =>
  runtime.openSession({ channel: "agent" }).wait(execution_id);
