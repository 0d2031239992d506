/** What an operator reads who launches an agent that the host does not know. */
import { expect, test } from "vitest";
import { LaunchVerbs } from "../../src/endpoints/launch-verbs.ts";

test("a host that knows no such launch says that it reads launches at its start", () => {
  const parts = { runtime: {} as never, launches: [], workspace: "/", log: () => undefined };
  const { verbs } = new LaunchVerbs(parts).handlers();
  const request = { name: "codex", argv: "", variables: "", size: null };
  expect(() => verbs["launch.start"](request, {} as never, {} as never)).toThrow(
    expect.objectContaining({
      code: "FEMTO_USAGE",
      fix: expect.stringContaining("run `femtoclaw down` and `femtoclaw up --detach`"),
    }),
  );
});
