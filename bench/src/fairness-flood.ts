/**
 * A hostile client in a process of its own. From the line that it prints until its stdin ends, it keeps many calls
 * under way on one connection, whatever becomes of them. Its arguments are the folder of the host's sockets, a home,
 * and the message in base64.
 */
import { once } from "node:events";
import { AgentClient, LogMemory } from "@femtoclaw/client";

const FLOOD_CALLS = 200;

const [place = "", home = "", message = ""] = process.argv.slice(2);
const warn = (reason: string): void => process.emitWarning(reason);
const client = await AgentClient.connect(place, new LogMemory({ environment: { HOME: home }, place, warn }));
const bytes = Buffer.from(message, "base64");
const flood = async (): Promise<never> => {
  for (;;) await client.propose(bytes);
};
await client.propose(bytes);
Promise.all(Array.from({ length: FLOOD_CALLS }, flood)).catch((error: unknown) => {
  throw error;
});
process.stdout.write("flooding\n");
await once(process.stdin.resume(), "end");
process.exit();
