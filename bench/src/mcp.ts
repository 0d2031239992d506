/**
 * The cost of FemtoClaw to an MCP client, compared with the official SDK's server with nothing around it: as the server
 * itself, and as the gateway to that very server.
 */
import { realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import type { BenchContext } from "./context.ts";
import { scaled } from "./effort.ts";
import { BenchHost } from "./host-start.ts";
import { loadFor, p50, perSecond } from "./load.ts";
import { Measurement, type MeasureRow, type Subject } from "./measurement.ts";
import { noopFolders } from "./noop-folders.ts";

const IN_FLIGHT = [1, 10, 100];
/** A foreign server gets at most 32 calls at once. */
const IN_FLIGHT_GATEWAY_MAX = 10;
const ROUND_MS = 1_500;
const STARTS = 3;
const BARE_SERVER = fileURLToPath(new URL("./mcp-bare-server.ts", import.meta.url));

/** How a client starts a server, and which tool it calls. */
interface Served {
  readonly name: "bare server" | "server" | "gateway";
  readonly tool: string;
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

export async function measureMcp({
  directory,
  host: command,
  effort,
  onProgress,
}: BenchContext): Promise<MeasureRow[]> {
  const [folder = directory] = noopFolders(directory).read;
  const path = join(folder, "note");
  writeFileSync(path, "a note of the bench\n");
  const host = hostWithUpstream(command, directory);
  const shim = host.commandOf(["mcp"]);
  const servers: readonly Served[] = [
    { name: "bare server", tool: "stat", command: [process.execPath, BARE_SERVER], env: {} },
    { name: "server", tool: "fs_stat", ...shim },
    { name: "gateway", tool: "bare__stat", ...shim },
  ];
  const running = await host.start();
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => void (await running.end("SIGTERM")));
  const measured = await Promise.all(servers.map((served) => measurable(served, path, stack)));
  for (const { call } of measured) await loadFor(4, scaled(ROUND_MS, effort), () => 0, call);
  for (let round = 1; round <= effort.rounds; round += 1) {
    for (const { served, call, rates, latencies, start } of measured) {
      onProgress(`round ${round} of ${effort.rounds}: ${served.name}`);
      for (const [callers, rate] of rates) {
        const load = await loadFor(callers, scaled(ROUND_MS, effort), () => 0, call);
        rate.addValue(perSecond(load));
        latencies.get(callers)?.addValue(p50(load));
      }
      for (let count = 0; count < scaled(STARTS, effort); count += 1) start.addValue(await startMs(served, path));
    }
  }
  const [bare, ...own] = measured;
  return [...(bare === undefined ? [] : rowsOf(bare)), ...own.flatMap((one) => rowsOf(one, bare))];
}

/** The sandboxed bare server runs on the same Node.js as the bench, and needs the folder of the SDK. */
function hostWithUpstream(command: BenchContext["host"], directory: string): BenchHost {
  const programs = realpathSync(dirname(process.execPath));
  const sdk = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server"));
  const modules = sdk.slice(0, sdk.lastIndexOf("/node_modules/") + "/node_modules".length);
  const visible = [programs, modules, dirname(BARE_SERVER)].map((path) => JSON.stringify(path)).join(", ");
  return new BenchHost(command, directory, {
    capabilities: ["fs_stat"],
    top: [`search_path = [${JSON.stringify(programs)}, "/usr/bin", "/bin"]`],
    tables: [
      "[mcp.servers.bare]",
      `command = ["node", ${JSON.stringify(BARE_SERVER)}]`,
      "[allow.tools]",
      'bare__stat = ["*"]',
      "[sandbox]",
      `read = [${visible}]`,
    ],
  });
}

async function measurable(served: Served, path: string, stack: AsyncDisposableStack) {
  const client = await connected(served);
  stack.defer(() => client.close());
  const callers = IN_FLIGHT.filter((count) => served.name !== "gateway" || count <= IN_FLIGHT_GATEWAY_MAX);
  const measuring = (measure: string, unit: Subject["unit"]) => (count: number) =>
    [count, new Measurement({ preset: "mcp", measure: `${served.name} ${measure}`, unit, callers: count })] as const;
  return {
    served,
    call: () => calling(client, served, path),
    rates: new Map(callers.map(measuring("round trips", "calls/s"))),
    latencies: new Map(callers.map(measuring("p50", "ms"))),
    start: new Measurement({ preset: "mcp", measure: `${served.name} start to first answer`, unit: "ms" }),
  };
}

type Measurable = Awaited<ReturnType<typeof measurable>>;

function rowsOf(one: Measurable, bare?: Measurable): MeasureRow[] {
  const rows = [...one.rates].flatMap(([callers, rate]) => {
    const latency = one.latencies.get(callers);
    return [
      rate.row({ beside: bare?.rates.get(callers) }),
      ...(latency === undefined ? [] : [latency.row({ beside: bare?.latencies.get(callers) })]),
    ];
  });
  const [alone, bareAlone] = [one.latencies.get(1), bare?.latencies.get(1)];
  const added = new Measurement({
    preset: "mcp",
    measure: `${one.served.name} added to a call`,
    unit: "ms",
    callers: 1,
  });
  if (alone !== undefined && bareAlone !== undefined) added.addValue(alone.median - bareAlone.median);
  return [...rows, ...(bareAlone === undefined ? [] : [added.row()]), one.start.row({ beside: bare?.start })];
}

async function connected({ command, env }: Served): Promise<Client> {
  const [program, ...args] = command;
  const client = new Client({ name: "bench", version: "1.0.0" }, { versionNegotiation: { mode: "legacy" } });
  const { PATH = "" } = process.env;
  await client.connect(new StdioClientTransport({ command: program, args, env: { PATH, ...env }, stderr: "ignore" }));
  return client;
}

async function calling(client: Client, { name, tool }: Served, path: string): Promise<void> {
  const { isError, content } = await client.callTool({ name: tool, arguments: { path } });
  if (isError === true) throw new Error(`a call of the bench to the ${name} failed: ${JSON.stringify(content)}`);
}

/** From the start of the client's process for the server to the answer of the first call. */
async function startMs(served: Served, path: string): Promise<number> {
  const began = performance.now();
  const client = await connected(served);
  await calling(client, served, path);
  const elapsedMs = performance.now() - began;
  await client.close();
  return elapsedMs;
}
