/** The inspector's command line against a real host: it lists, calls, is denied, reads what stands behind the gate, and calls ten at a time. */
import { join } from "node:path";
import type { HttpPlace, McpPlace } from "../mcp-place.ts";
import { type Ended, ended } from "./ended.ts";
import type { Verdicts } from "./verdicts.ts";

const LAUNCH = join(import.meta.dirname, "../../../host/src/launch.js");
const LOAD_SECONDS = 4;
const AT_ONCE = 10;

export interface InspectorRun {
  readonly suite: string;
  readonly place: McpPlace;
  readonly http: HttpPlace;
  readonly verdicts: Verdicts;
}

export async function runInspector({ suite, place, http, verdicts }: InspectorRun): Promise<void> {
  const program = join(suite, "inspector/clients/launcher/build/index.js");
  const ask = async (server: readonly string[], era: string, asked: readonly string[]): Promise<Ended> =>
    await ended([program, "--cli", "-q", "--format", "json", "--protocol-era", era, ...server, ...asked], {
      ...process.env,
      ...place.environment,
    });
  // It starts a server with a few variables of its own, and those that are named.
  const named = Object.entries(place.environment).flatMap(([name, value]) =>
    value === undefined ? [] : ["-e", `${name}=${value}`],
  );
  const stdio = [...named, process.execPath, LAUNCH, "mcp"];
  const over = ["--server-url", http.url, "--transport", "http", "--header", `Authorization: Bearer ${http.token}`];
  const call = (tool: string, args: object): string[] => [
    ...["--method", "tools/call", "--tool-name", tool, "--tool-args-json", JSON.stringify(args)],
  ];
  for (const era of ["legacy", "modern"]) {
    const expected = (name: string, { code, stdout, stderr }: Ended, exit: number, says: string): void => {
      const said = `${stdout}${stderr}`;
      if (code === exit && said.includes(says)) verdicts.passed(`${name}, ${era}`);
      else verdicts.failed(`${name}, ${era}`, `exit code ${code}: ${said.slice(0, 1_000)}`);
    };
    expected("lists", await ask(stdio, era, ["--method", "tools/list"]), 0, '"process_exec"');
    expected("calls", await ask(stdio, era, call("process_exec", { bin: "echo", argv: ["hi there"] })), 0, "hi there");
    const removing = call("process_exec", { bin: "rm", argv: ["-rf", "/"] });
    expected("is denied", await ask(stdio, era, removing), 5, "DENIED_POLICY_VIOLATION");
    expected(
      "reads a resource",
      await ask(over, era, ["--method", "resources/read", "--uri", "test://static-text"]),
      0,
      "static text",
    );
    const got = ["--method", "prompts/get", "--prompt-name", "fixture__test_simple_prompt"];
    expected("gets a prompt", await ask(over, era, got), 0, "simple prompt");
    const load = ["--load", "--load-duration", String(LOAD_SECONDS), "--load-concurrency", String(AT_ONCE)];
    const loaded = await ask(over, era, [...call("fs_read", { path: "notes.txt" }), ...load]);
    expected(`${AT_ONCE} calls at a time for ${LOAD_SECONDS} s`, loaded, 0, '"toolErrors":0,"errors":0,');
    process.stdout.write(`          ${loaded.stdout.trim()}\n`);
  }
}
