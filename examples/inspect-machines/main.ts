/**
 * Sends XState's inspection events of every machine to a WebSocket in the format of Stately's inspector.
 * Here the receiver is a few lines in the same program, which count what arrives and in which state each actor ended.
 * `npm start -- ws://127.0.0.1:PORT` sends them to an inspector that runs there instead, and prints nothing.
 */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRuntime, resolveConfiguration } from "@femtoclaw/runtime";
import { createWebSocketInspector, type StatelyInspectionEvent } from "@statelyai/inspect";
import { WebSocketServer } from "ws";

const received = new Map<string, { readonly name: string; events: number; state: string }>();

function receive(frame: StatelyInspectionEvent): void {
  if (frame.type === "@xstate.actor") received.set(frame.sessionId, { name: frame.name, events: 0, state: "" });
  const actor = received.get(frame.sessionId);
  if (actor === undefined) return;
  if (frame.type === "@xstate.event") actor.events += 1;
  if (frame.type === "@xstate.snapshot") actor.state = stateOf(frame.snapshot);
}

/** The states of a machine; the actor that holds the executions has none and is just active or stopped. */
function stateOf({ value, status }: { readonly value?: unknown; readonly status?: string }): string {
  if (typeof value !== "object" || value === null) return String(value ?? status);
  return Object.entries(value)
    .map(([region, state]) => `${region} ${state}`)
    .join(", ");
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket) => {
  socket.on("message", (data) => receive(JSON.parse(String(data)) as StatelyInspectionEvent));
});
await once(server, "listening");
const url = process.argv[2] ?? `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
const inspector = createWebSocketInspector({ url });

const home = mkdtempSync(join(tmpdir(), "femtoclaw-example-"));
mkdirSync(join(home, "workspace"));
writeFileSync(join(home, "workspace", "notes.txt"), "buy oat milk\n");
const configuration = resolveConfiguration({
  configuration: {
    workspace: "workspace",
    capabilities: { fs_read: true },
    allow: { read: ["workspace"] },
    memory: { path: "state" },
  },
  baseDirectory: home,
  environment: process.env,
});
{
  await using runtime = await createRuntime({ configuration, inspect: (event) => inspector.inspect.next?.(event) });
  await using session = runtime.openSession({ channel: "library", label: "inspect-machines" });
  await session.propose({ tool_call: { tool: "fs_read", args: { path: "notes.txt" } } });
}
rmSync(home, { recursive: true });

// The inspector writes when the event loop turns; give the last frames time to arrive.
await new Promise((resolve) => setTimeout(resolve, 200));
inspector.stop();
server.close();
for (const client of server.clients) client.terminate();
// Where nobody listens, the inspector tries again for ever.
if (process.argv[2] !== undefined) process.exit();
console.log(`${received.size} actors were seen`);
for (const { name, events, state } of received.values()) console.log(`  ${name}: ${events} events, then ${state}`);
