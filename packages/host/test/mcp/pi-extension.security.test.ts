/** The extension for pi beside an MCP server that prints what it should not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { piExtension } from "../../src/mcp/pi-extension.ts";

interface PiTool {
  execute(id: string, params: object): Promise<{ readonly details: object }>;
}

/** A server with one tool, a call of which prints this line. */
const server = (line: string): string => `
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method } = JSON.parse(line);
  const answer = (result) => console.log(JSON.stringify({ id, result }));
  if (method === "initialize") answer({});
  if (method === "tools/list") answer({ tools: [{ name: "one", description: "", inputSchema: {} }] });
  if (method === "tools/call") console.log(${JSON.stringify(line)}.replace("ID", id));
});`;

async function toolBeside(line: string): Promise<PiTool> {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-pi-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "extension.mjs");
  writeFileSync(file, piExtension([process.execPath, "-e", server(line)], {}));
  const { default: extension } = (await import(pathToFileURL(file).href)) as { default: (pi: object) => Promise<void> };
  const tools: PiTool[] = [];
  await extension({ registerTool: (tool: PiTool) => tools.push(tool), on: () => undefined });
  const [tool] = tools;
  if (tool === undefined) throw new Error("it offers no tool");
  return tool;
}

test.each(["no JSON", "null", '{"id":ID,"error":null}'])(
  "a line that is no message, %s, ends the calls and not pi",
  async (line) => {
    const tool = await toolBeside(line);
    await expect(tool.execute("1", {})).rejects.toThrow("has ended");
    // Nothing waits for a server that is gone.
    await expect(tool.execute("2", {})).rejects.toThrow("has ended");
  },
);

test("no key of a result becomes a prototype", async () => {
  const result = '{"content":[],"structuredContent":{"a":1,"__proto__":{"isAdmin":true}}}';
  const { details } = await (await toolBeside(`{"id":ID,"result":${result}}`)).execute("1", {});
  expect(Object.getOwnPropertyNames(details)).toEqual(["a"]);
  expect(Object.assign({}, details)).not.toHaveProperty("isAdmin");
});
