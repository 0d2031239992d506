/** A home with a secret and a program, and what a reader of the journal makes of both. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Configuration, ErrorCode, TypedRecord } from "@femtoclaw/protocol";
import type { Session } from "@femtoclaw/runtime";
import { call, type Home, temporaryHome } from "../runtime-fixture.ts";

const SECRET = { path: "secrets/token" } as const;
export const READ_SECRET = call("fs_read", SECRET);
export const READ_NOTES = call("fs_read", { path: "notes" });
export const RUN = call("process_exec", { bin: "echo", argv: ["hello"] });
export const SLEEP = call("process_exec", { bin: "sleep", argv: ["60"] });

/** Who may have read the secret runs neither program. */
export const GUARDED: Configuration = {
  search_path: ["/usr/bin", "/bin"],
  capabilities: { fs_read: true, fs_list: true, fs_write: true, process_exec: true },
  allow: { read: ["workspace"], write: ["workspace/secrets"], run: { echo: ["*"], sleep: ["*"] } },
  sensitive: { secret: ["workspace/secrets"] },
  after_secret: { run: { echo: ["*"], sleep: ["*"] } },
};

export function guardedHome(): Home {
  const home = temporaryHome();
  mkdirSync(join(home.root, "workspace/secrets"));
  writeFileSync(join(home.root, "workspace/secrets/token"), "hunter2");
  writeFileSync(join(home.root, "workspace/notes"), "notes");
  return home;
}

export async function codeOf(
  session: Session,
  message: Parameters<Session["propose"]>[0],
): Promise<ErrorCode | "done"> {
  return ((await session.propose(message)).error?.code as ErrorCode | undefined) ?? "done";
}

type Intent = TypedRecord & { readonly type: "execution.intent" };

/** Intents in the order of the journal, in short. */
export function intentsOf(records: readonly TypedRecord[]): { readonly seq: number; readonly tool: string }[] {
  return records
    .filter((record): record is Intent => record.type === "execution.intent")
    .map(({ seq, body }) => ({ seq, tool: body.tool }));
}
