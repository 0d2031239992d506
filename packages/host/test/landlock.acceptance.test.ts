/** A host of an ordinary user on a machine without bubblewrap: its programs are confined by Landlock, or not started. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeStatus } from "@femtoclaw/runtime";
import { expect, test } from "vitest";
import { hasLandlock, hasNamespaces } from "../../sandbox/test/stranger.ts";
import { CONFIGURATION, Playground } from "./playground.ts";
import { placeWithoutBubblewrap, refuseNamespaces, withoutBubblewrap } from "./without-bubblewrap.ts";

const isRoot = process.getuid?.() === 0;

interface Finding {
  readonly check: string;
  readonly verdict: string;
  readonly detail: string;
  readonly fix?: string;
}

interface Confined {
  readonly unshare: "works" | "is refused";
  readonly sandbox: string;
  readonly title: RegExp;
  /** What `doctor` says of it. */
  readonly detail: readonly RegExp[];
}

const ALONE: Confined = {
  unshare: "is refused",
  sandbox: "landlock",
  title: /^landlock ABI \d+$/,
  detail: [
    /bubblewrap would confine more/,
    /Landlock in namespaces does not work either: .*Operation not permitted/,
    /how many processes/,
  ],
};
const APART: Confined = {
  unshare: "works",
  sandbox: "landlock, namespaces",
  title: /^landlock ABI \d+, namespaces$/,
  detail: [/bubblewrap would confine more/],
};

test.runIf(hasLandlock).each([ALONE, ...(hasNamespaces() ? [APART] : [])])(
  "confines programs by $sandbox where there is no bubblewrap and unshare $unshare, and says so",
  async (expected) => {
    await using place = placeWithoutBubblewrap(expected.unshare);
    await place.up();
    const [{ value: status }, { value: findings }, said] = await Promise.all([
      place.json<RuntimeStatus>(["status"]),
      place.json<Finding[]>(["doctor"]),
      place.call("process_exec", { bin: "cat", argv: ["secrets/token.txt", "../state/identity", "notes.txt"] }),
    ]);
    expect(status.sandbox).toMatch(expected.title);
    const found = findings.find(({ check }) => check === "sandbox");
    expect(found).toMatchObject({
      verdict: "warn",
      detail: expect.stringMatching(/ confined a real program[\s\S]*\nrefused: /),
      fix: expect.stringContaining("apt-get install bubblewrap"),
    });
    expect(found?.detail.split(" confined")[0]).toMatch(expected.title);
    for (const part of expected.detail) expect(found?.detail).toMatch(part);
    expect(said.value).toMatchObject({
      result: { exit_code: 1, stdout: "some notes\n", sandbox: expected.sandbox },
    });
    const id = String(said.value.execution_id);
    const { stdout } = await place.run(["--json", "executions", "show", id]);
    expect(stdout).toContain(`"sandbox":"${expected.sandbox}"`);
    await place.down();
  },
);

test.runIf(hasLandlock && hasNamespaces())(
  "starts no program without namespaces once a host has found some",
  async () => {
    await using place = placeWithoutBubblewrap("works");
    await place.up();
    refuseNamespaces(join(place.root, "programs"));
    const { value } = await place.call("process_exec", { bin: "tee", argv: ["out/ran"] });
    expect(value).toMatchObject({
      error: { code: "FEMTO_SANDBOX_UNAVAILABLE", reason: expect.stringContaining("Operation not permitted") },
    });
    expect(readdirSync(join(place.project, "out"))).toEqual([]);
    await place.down();
  },
);

test.runIf(isRoot)("starts no host that is root where there is no bubblewrap", async () => {
  await using place = new Playground();
  place.configure(`search_path = ["${withoutBubblewrap(place.root)}"]\n${CONFIGURATION}`);
  const { code, stderr } = await place.run(["up"]);
  expect(code).toBe(1);
  expect(stderr).toContain("FEMTO_SANDBOX_UNAVAILABLE");
  expect(stderr).toContain("Landlock does not work either: the host is root");
});
