/** What `doctor` advises where the sandbox is weaker than it could be, or missing. */
import { ERRORS } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { sandboxFinding } from "../src/doctor/machine-findings.ts";

const GENERAL = { reason: "bwrap: something that nobody has seen", fix: ERRORS.FEMTO_SANDBOX_UNAVAILABLE.fix };
const LANDLOCK = {
  ok: true,
  name: "landlock",
  title: "landlock ABI 7",
  groups: null,
  bounds: { by: "limits of each process", wholly: false, lacks: [] },
} as const;

test.each([
  ["there is no sandbox", { ok: false, ...GENERAL }],
  ["a weaker one confines", { ...LANDLOCK, instead: GENERAL }],
] as const)("nobody is sent to the command that they just ran where %s", (_, probe) => {
  expect(sandboxFinding(probe)).toMatchObject({
    detail: expect.stringContaining(GENERAL.reason),
    fix: "Fix what it reports; docs/guides/sandbox.md says what it needs.",
  });
});

test("a fix that is known is the one that is told", () => {
  const instead = { reason: "bwrap: Can't mount proc", fix: "Remove the mounts over /proc." };
  expect(sandboxFinding({ ...LANDLOCK, instead })).toMatchObject({ verdict: "warn", fix: instead.fix });
});
