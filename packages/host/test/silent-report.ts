/** A report on a host that hangs. It takes the half minute for which a command waits for an answer. */
import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Playground } from "./playground.ts";

export interface SilentReport {
  readonly code: number | null;
  /** How often the host was asked. */
  readonly asked: number;
  readonly bundle: {
    readonly status: unknown;
    readonly doctor: readonly { readonly check: string }[];
    readonly records: readonly { readonly type: string }[];
  };
}

export async function reportOfSilentHost(): Promise<SilentReport> {
  await using place = new Playground();
  const host = await place.up();
  await place.propose("fs_read", { path: "notes.txt" });
  host.kill("SIGKILL");
  await host.ended;
  // The kernel takes connections for whoever listens; nobody here ever answers.
  let asked = 0;
  const silent = createServer(() => {
    asked += 1;
  });
  const socket = join(place.runtime, "operator.sock");
  rmSync(socket, { force: true });
  silent.listen(socket);
  await once(silent, "listening");
  chmodSync(socket, 0o600);
  const { code, stdout } = await place.run(["report"]);
  silent.close();
  return { code, asked, bundle: JSON.parse(stdout) as SilentReport["bundle"] };
}
