/** What operators launch is as little for calls to replace as what calls may run. */
import { expect, it } from "vitest";
import { authorityOf } from "../policy-fixture.ts";
import { findings, shareTrial } from "./files-fixture.ts";

shareTrial();

it("a permit to write where a program is that operators launch is found", async () => {
  const agent = { program: "/usr/bin/agent", realPath: "/srv/agent/agent", principal: "a", source: "file:1:1" };
  const policy = `@id("a") permit (principal, action == Action::"fs_write", resource in Path::"/srv");`;
  expect(await findings(policy)).toBeNull();
  expect(await findings(policy, { authority: { ...authorityOf(), launch: [agent] } })).toEqual([
    expect.stringContaining("calls could replace programs in /srv/agent/agent"),
  ]);
});
