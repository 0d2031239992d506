/** `approvals watch` ends where its host does, whatever the host says at its end; anything else is a fault. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorClient } from "@femtoclaw/client";
import { type ErrorCode, SOCKET_NAMES } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { watchApprovals } from "../src/commands/approvals/watch-approvals.ts";
import { CommandContext } from "../src/commands/command-context.ts";

/** What the command ends with where a host answers its first look with this error, and leaves the connection open. */
async function endedBy(code: ErrorCode): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-watch-"));
  const response = { ok: false, error: { code, reason: "the host says so", fix: "None." } };
  const server = createServer((socket) => {
    socket.once("data", (line) => {
      const { id } = JSON.parse(line.toString()) as { readonly id: number };
      socket.write(`${JSON.stringify({ id, ...response })}\n`);
    });
  });
  try {
    await once(server.listen(join(folder, SOCKET_NAMES.operator)), "listening");
    const context = new CommandContext({ quiet: true, json: true });
    return await watchApprovals(Object.assign(context, { operator: () => OperatorClient.connectUnproved(folder) }));
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

test.each(["FEMTO_HOST_NOT_RUNNING", "FEMTO_DRAINING", "FEMTO_JOURNAL_CLOSED"] as const)(
  "%s is an end",
  async (code) => {
    expect(await endedBy(code)).toBe(0);
  },
);

test("a host that takes no more who wait is a fault", async () => {
  await expect(endedBy("FEMTO_OVERLOADED")).rejects.toMatchObject({ code: "FEMTO_OVERLOADED" });
});
