/**
 * pi runs no commands before its tools, but asks its extensions. This extension runs our command, and blocks the tool
 * if anything goes wrong.
 */

/** The text of the extension. */
export function piHook(command: string): string {
  return `// Blocks every tool of pi that is none of FemtoClaw's. Start: pi --extension FILE
import { spawn } from "node:child_process";

const COMMAND = ${JSON.stringify(command)};
${BODY}`;
}

const BODY = `
export default function (pi) {
  pi.on("tool_call", async (event) => {
    try {
      const asked = { hook_event_name: "PreToolUse", tool_name: event.toolName, tool_input: event.input ?? null };
      const { code, said } = await run(JSON.stringify(asked));
      if (code === 0) return undefined;
      return { block: true, reason: said.trim() || "femtoclaw: blocked, because the hook failed" };
    } catch (error) {
      return { block: true, reason: "femtoclaw: blocked, because the hook failed: " + String(error) };
    }
  });
}

function run(input) {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", COMMAND], { stdio: ["pipe", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said = (said + text).slice(0, 4000);
    });
    child.stdin.on("error", () => undefined);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, said }));
    child.stdin.end(input);
  });
}
`;
