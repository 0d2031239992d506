/**
 * Restate: its server with a replicated log on one node, called over HTTP, and a service of one step in a process of
 * its own. All of it listens on loopback.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { freePorts } from "../free-ports.ts";
import { startServer } from "../server.ts";
import type { Place, System, Told } from "../system.ts";
import { until } from "../until.ts";

const SERVICE = join(import.meta.dirname, "restate-service.ts");
/** LIMIT: milliseconds for an interrupted call to be resumed and completed after a crash. */
const SETTLED_MS = 60_000;
/** Documented by Restate: the invocation is known and has not ended. */
const NOT_READY = 470;

interface Ports {
  readonly node: number;
  readonly ingress: number;
  readonly admin: number;
  readonly service: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const agent = new Agent({ keepAlive: true });

export async function open({ directory, purpose }: Place): Promise<System> {
  const portsFile = join(directory, "ports.json");
  const isKnown = existsSync(portsFile);
  const ports = isKnown ? (JSON.parse(readFileSync(portsFile, "utf8")) as Ports) : await choosePorts();
  spawn(process.execPath, [SERVICE, String(ports.service)], { stdio: "ignore" });
  await startServer({
    directory,
    name: "restate-server",
    command: [program(), "--no-logo", "--base-dir", join(directory, "data")],
    env: {
      RESTATE_LISTEN_MODE: "tcp",
      RESTATE_BIND_IP: "127.0.0.1",
      RESTATE_NODE_NAME: "bench",
      RESTATE_BIND_PORT: String(ports.node),
      RESTATE_ADMIN__BIND_PORT: String(ports.admin),
      RESTATE_INGRESS__BIND_PORT: String(ports.ingress),
      RESTATE_DISABLE_TELEMETRY: "true",
    },
    isReady: async () => (await isHealthy(ports)) && (isKnown || (await isRegistered(ports))),
  });
  // After a restart it looks for its deployment at the same ports, to resume what a crash interrupted.
  if (!isKnown) writeFileSync(portsFile, JSON.stringify(ports));
  return {
    execute: async (id, call) => {
      // Only a call that is asked about afterwards gets a name, which is more work for the server.
      const { status, text } = await post(ports.ingress, "/bench/run", call, purpose === "crash" ? id : null);
      if (status !== 200) throw new Error(`Restate answered ${status}: ${text}`);
    },
    told: async (id) => await until("Restate is done with the call", SETTLED_MS, async () => await toldBy(ports, id)),
  };
}

async function choosePorts(): Promise<Ports> {
  const [node = 0, ingress = 0, admin = 0, service = 0] = await freePorts(4);
  return { node, ingress, admin, service };
}

function program(): string {
  const require = createRequire(import.meta.url);
  return require.resolve(`@restatedev/restate-server-linux-${process.arch}/bin/restate-server`);
}

async function isHealthy({ ingress }: Ports): Promise<boolean> {
  return (await ask("GET", ingress, "/restate/health")).status === 200;
}

async function isRegistered({ admin, service }: Ports): Promise<boolean> {
  const { status } = await post(admin, "/deployments", { uri: `http://127.0.0.1:${service}` }, null);
  return status === 201;
}

async function toldBy({ ingress }: Ports, id: string): Promise<Told | null> {
  const { status, text } = await ask("GET", ingress, `/restate/invocation/bench/run/${id}/output`);
  if (status === 200) return "completed";
  if (status === 404) return "nothing";
  if (status === NOT_READY) return null;
  throw new Error(`Restate answered ${status}: ${text}`);
}

async function post(port: number, path: string, body: object, idempotencyKey: string | null): Promise<Answer> {
  const key = idempotencyKey === null ? {} : { "idempotency-key": idempotencyKey };
  return await ask("POST", port, path, { "content-type": "application/json", ...key }, JSON.stringify(body));
}

function ask(
  method: string,
  port: number,
  path: string,
  headers: Record<string, string> = {},
  body = "",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = { "content-length": String(Buffer.byteLength(body)) };
    const asked = request({ host: "127.0.0.1", port, path, method, agent, headers: { ...headers, ...length } });
    asked.on("error", reject).on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("error", reject).on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.end(body);
  });
}
