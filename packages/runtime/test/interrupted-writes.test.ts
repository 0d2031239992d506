/** What a call was writing when its host was killed: the next start removes exactly that. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryName } from "@femtoclaw/capabilities";
import { expect, it, onTestFinished } from "vitest";
import { Barrier, call, capability, temporaryHome } from "./runtime-fixture.ts";

it("goes with the next start, and nothing else does", async () => {
  const home = temporaryHome();
  const out = join(home.root, "out");
  mkdirSync(join(home.root, "elsewhere"));
  mkdirSync(out);
  const barrier = new Barrier();
  const input = { type: "object", additionalProperties: false, properties: { path: { type: "string" } } } as const;
  const places = capability(
    "places",
    async ({ id }) => {
      writeFileSync(join(out, temporaryName(id)), "half of wh");
      await barrier.arrive();
      return {};
    },
    { input, arguments: [{ pointer: "/path", kind: "path", access: "create" }], effect: "write" },
  );
  const options = { permit: [], capabilities: [places], configuration: { allow: { write: ["out"] } } };
  const first = await home.start(options);
  const session = first.openSession({ channel: "library" });
  let id = "";
  const placed = session.propose(call("places", { path: join(out, "file") }), {
    onIdentified: (execution) => {
      id = execution;
    },
  });
  await barrier.reached;
  const power = home.losePower();
  barrier.open();
  await placed;
  await first.close({ drainMs: 0 });
  power();
  const others = [temporaryName("0b7c5a52-0000-4000-8000-000000000000"), temporaryName(`${id}x`), "file"];
  for (const name of others) writeFileSync(join(out, name), "of somebody else");
  writeFileSync(join(home.root, "elsewhere", temporaryName(id)), "of somebody else");
  symlinkSync(join(home.root, "elsewhere"), join(out, "link"));
  expect(existsSync(join(out, temporaryName(id)))).toBe(true);

  const second = await home.start(options);
  onTestFinished(() => second.close({ drainMs: 0 }));
  expect(second.status().unresolved).toBe(1);
  await expect.poll(() => readdirSync(out).sort()).toEqual([...others, "link"].sort());
  expect(readdirSync(join(home.root, "elsewhere"))).toEqual([temporaryName(id)]);
});
