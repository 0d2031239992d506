/** Finding the host from within an MCP client that hands on next to no variables. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CommandContext } from "../../src/commands/command-context.ts";
import { withRuntimeDirectory } from "../../src/mcp/client-environment.ts";
import { CONFIGURATION, Playground } from "../playground.ts";

let place: Playground;
beforeEach(() => {
  place = new Playground(CONFIGURATION.replace(/\[host\][\s\S]*$/, ""));
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

/** As a client starts its servers. */
function bare(changes: NodeJS.ProcessEnv = {}): CommandContext {
  const { HOME, PATH, FEMTOCLAW_CONFIG } = place.environment;
  return new CommandContext({}, { HOME, PATH, FEMTOCLAW_CONFIG, ...changes });
}

test("the runtime directory of the user's shells is found where the variable is missing", () => {
  const usual = place.folder("x");
  const found = withRuntimeDirectory(bare(), usual);
  expect(found.load().resolved.runtimeDirectory).toContain(join(usual, "femtoclaw"));
});

test("it is left alone where it is said, where there is none, and where the host is found without it", () => {
  const said = bare({ XDG_RUNTIME_DIR: place.folder("y") });
  expect(withRuntimeDirectory(said, place.folder("x"))).toBe(said);
  const none = bare();
  expect(withRuntimeDirectory(none, join(place.root, "nothing"))).toBe(none);
  place.configure(`${CONFIGURATION.replace("../run", "../own")}`);
  place.write("own/agent.sock", "");
  const other = bare();
  expect(withRuntimeDirectory(other, place.folder("x"))).toBe(other);
});
