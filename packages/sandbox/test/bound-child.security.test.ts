/** A child that speaks in the place of what confines it, and does not end. */
import { once } from "node:events";
import { expect, it } from "vitest";
import { BoundChild } from "../src/children/bound-child.ts";
import { DEFAULT_CHILD_LIMITS, viewOf } from "../src/index.ts";
import { playground } from "./playground.ts";

it("is heard to its end, and not kept: fifty megabytes of status leave its beginning and its end", async () => {
  using place = playground();
  const view = viewOf(place.authority, undefined, undefined, null);
  const says = `echo '{ "child-pid": 7 }' >&4; head -c 50000000 /dev/zero | tr '\\0' x >&4; echo '{ "exit-code": 3 }' >&4`;
  const start = { program: "/bin/sh", args: ["-c", says], isHeld: false };
  const child = new BoundChild(view, start, DEFAULT_CHILD_LIMITS, ["ignore", "ignore", "ignore"]);
  child.begin({ told: new Uint8Array(0), begin: "", isHeld: false });
  await child.started;
  await once(child.process, "close");
  expect(child.exitCode).toBe(3);
  expect(child.status.length).toBeLessThan(10_000);
});
