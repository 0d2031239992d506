/** The suite of capabilities, run with the built-in ones, with the example as a package, and with the example in process. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtinCapabilities, type JsonObject, trustedCapability } from "@femtoclaw/capabilities";
import type { CapabilityManifest } from "@femtoclaw/protocol";
import { createRuntime, type Runtime, resolveConfiguration, type Session } from "@femtoclaw/runtime";
import { type CapabilitySuiteOptions, capabilitySuite } from "@femtoclaw/testing";
import { afterAll, beforeAll, describe, it } from "vitest";
import wordCount from "../../../examples/custom-capability/word-count/main.ts";

type Sample = Pick<CapabilitySuiteOptions, "permitted" | "denied">;

const root = realpathSync(mkdtempSync(join(tmpdir(), "femtoclaw-suite-")));
const home = join(root, "project");
const server = createServer((_, response) => response.end("hello"));
let runtime: Runtime;
let port = 0;
let made = 0;

/** A file that no other call knows. */
function fresh(content = "old"): string {
  made += 1;
  const path = `out/${made}.txt`;
  writeFileSync(join(home, path), content);
  return path;
}

const missing = (): string => {
  made += 1;
  return `out/${made}-missing`;
};

async function terminal(session: Session): Promise<string> {
  const args = { bin: "cat", argv: [] };
  const { result } = await session.propose({ tool_call: { tool: "terminal_open", args } });
  return String(Object(result).terminal_id);
}

const ofTerminal = (more: JsonObject = {}): Sample => ({
  permitted: async (session) => ({ terminal_id: await terminal(session), ...more }),
});

const SAMPLES: Readonly<Record<string, Sample>> = {
  fs_list: { permitted: () => ({ path: "." }), denied: { path: "/etc" } },
  fs_read: { permitted: () => ({ path: "notes.txt" }), denied: { path: "/etc/hostname" } },
  fs_stat: { permitted: () => ({ path: "notes.txt" }), denied: { path: "/etc/hostname" } },
  fs_search: { permitted: () => ({ path: ".", pattern: "some" }), denied: { path: "/etc", pattern: "x" } },
  fs_write: {
    permitted: () => ({ path: fresh(), content: "new", mode: "overwrite" }),
    denied: { path: "notes.txt", content: "new", mode: "overwrite" },
  },
  fs_edit: {
    permitted: () => ({ path: fresh(), old: "old", new: "new" }),
    denied: { path: "notes.txt", old: "some", new: "other" },
  },
  fs_mkdir: { permitted: () => ({ path: missing() }), denied: { path: "folder" } },
  fs_move: { permitted: () => ({ from: fresh(), to: missing() }), denied: { from: "notes.txt", to: "other.txt" } },
  fs_delete: { permitted: () => ({ path: fresh() }), denied: { path: "notes.txt" } },
  net_fetch: { permitted: () => ({ url: `http://127.0.0.1:${port}/` }), denied: { url: "https://192.0.2.1/" } },
  process_exec: { permitted: () => ({ bin: "echo", argv: ["hello"] }), denied: { bin: "id" } },
  terminal_open: { permitted: () => ({ bin: "cat" }), denied: { bin: "id" } },
  terminal_write: ofTerminal({ data: "hello\n" }),
  terminal_read: ofTerminal(),
  terminal_resize: ofTerminal({ cols: 100, rows: 40 }),
  terminal_close: ofTerminal(),
  word_count: { permitted: () => ({ path: "notes.txt" }), denied: { path: "/etc/hostname" } },
  word_count_here: { permitted: () => ({ path: "notes.txt" }), denied: { path: "/etc/hostname" } },
};

const packaged = wordCount.manifest as CapabilityManifest;
const inProcess = trustedCapability(
  { ...wordCount, manifest: { ...packaged, name: "word_count_here" } },
  { trusted: true },
);

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
  mkdirSync(join(home, "out"), { recursive: true });
  writeFileSync(join(home, "notes.txt"), "some words\n");
  const folder = join(import.meta.dirname, "../../../examples/custom-capability/word-count");
  const enabled = Object.fromEntries(Object.keys(SAMPLES).map((name) => [name, true as const]));
  const configuration = resolveConfiguration({
    configuration: {
      capabilities: { ...enabled, word_count: { package: folder, pins: "first_use" } },
      allow: { read: ["."], write: ["out"], run: { echo: ["*"], cat: ["*"] }, fetch: [`127.0.0.1:${port}`] },
      memory: { path: "../state" },
    },
    baseDirectory: home,
    environment: { HOME: root },
  });
  runtime = await createRuntime({ configuration, capabilities: [inProcess] });
});

afterAll(async () => {
  await runtime.close();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

for (const manifest of [...builtinCapabilities.map((one) => one.manifest), packaged, inProcess.manifest]) {
  const sample = SAMPLES[manifest.name];
  if (sample === undefined) throw new Error(`there is no call of ${manifest.name} to run the suite with`);
  capabilitySuite({ manifest, runtime: () => runtime, ...sample, describe, it });
}
