/** What is printed for an agent to read. */
import { expect, test } from "vitest";
import { agentConfiguration } from "../../src/mcp/agent-configuration.ts";

test("the configuration of Codex has an empty table where no variable is needed", () => {
  expect(agentConfiguration("codex", ["femtoclaw", "mcp"], {}).text).toContain("\nenv = {}\n");
  const { text } = agentConfiguration("codex", ["femtoclaw", "mcp"], { XDG_STATE_HOME: "/s" });
  expect(text).toContain('\nenv = { XDG_STATE_HOME = "/s" }\n');
});
