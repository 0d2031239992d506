import type { Authority } from "@femtoclaw/protocol";
import fc from "fast-check";
import { expect, it } from "vitest";
import { viewOf, visibilityOf } from "../src/index.ts";
import { landlockRules, RIGHT, type Rule } from "../src/landlock/landlock-rules.ts";
import type { Inspection } from "../src/views/inspection.ts";
import type { Mount } from "../src/views/mounts.ts";
import { grants } from "./playground.ts";

/** Every path stands, as a folder, so that the plan itself is what is tried. */
const everythingStands: Inspection = {
  architecture: "x64",
  stateOf: () => ({ kind: "directory" }),
  linkText: () => null,
  isReadable: () => false,
  findProgram: () => "/usr/bin/bwrap",
};

const NAMES = ["a", "b", "c", ".git", "hooks", "tmp"];
const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
const paths = fc.array(path, { maxLength: 4 });
const authority: fc.Arbitrary<Authority> = fc
  .record({
    workspace: path,
    read: paths,
    write: paths,
    askRead: paths,
    askWrite: paths,
    denyRead: paths,
    denyWrite: paths,
    floor: paths,
    childRead: paths,
  })
  .map(({ workspace, read, write, askRead, askWrite, denyRead, denyWrite, floor, childRead }) => ({
    workspace,
    floor,
    childRead,
    searchPath: ["/usr/bin"],
    environment: {},
    environmentNames: [],
    allow: { read: grants(...read), write: grants(...write), run: [] },
    ask: { read: grants(...askRead), write: grants(...askWrite), run: [] },
    deny: { read: grants(...denyRead), write: grants(...denyWrite), run: [] },
  }));

const isWithin = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(`${outer}/`);

/** What bubblewrap makes of the list: each step covers everything below its path. */
function effect(mounts: readonly Mount[], of: string): Mount["kind"] | "hidden" {
  let kind: Mount["kind"] | "hidden" = "hidden";
  for (const mount of mounts) if (isWithin(of, mount.path)) kind = mount.kind;
  return kind;
}

it("shows nothing of what is denied or belongs to the floor, and nothing denied is writable", () => {
  let [secret, unwritable, writable] = [0, 0, 0];
  fc.assert(
    fc.property(authority, path, (granted, probe) => {
      const { mounts } = viewOf(granted, everythingStands);
      const kind = effect(mounts, probe);
      const hidden = [...granted.floor, ...[...granted.ask.read, ...granted.deny.read].map((grant) => grant.path)];
      if (hidden.some((place) => isWithin(probe, place))) {
        secret += 1;
        expect(["readOnly", "readWrite"]).not.toContain(kind);
      }
      if ([...granted.ask.write, ...granted.deny.write].some((grant) => isWithin(probe, grant.path))) {
        unwritable += 1;
        expect(kind).not.toBe("readWrite");
      }
      if (kind === "readWrite") {
        writable += 1;
        expect(granted.allow.write.some((grant) => isWithin(probe, grant.path))).toBe(true);
      }
    }),
    { numRuns: 3_000 },
  );
  // INVARIANT: every case came up often, or this proved nothing.
  for (const count of [secret, unwritable, writable]) expect(count).toBeGreaterThan(50);
});

it("leaves no writable folder above a mount that could be moved aside", () => {
  fc.assert(
    fc.property(authority, (granted) => {
      const { mounts } = viewOf(granted, everythingStands);
      const places = new Set(mounts.map((mount) => mount.path));
      for (const { path: place } of mounts) {
        for (let at = place.lastIndexOf("/"); at > 0; at = place.lastIndexOf("/", at - 1)) {
          const folder = place.slice(0, at);
          // Before masks, which cannot be written to, only a mount resists being renamed.
          if (effect(mounts, folder) === "readWrite") expect(places).toContain(folder);
        }
      }
    }),
    { numRuns: 3_000 },
  );
});

it("shows all that is granted and not denied", () => {
  let shown = 0;
  fc.assert(
    fc.property(authority, path, (granted, probe) => {
      const taken = [...granted.floor, ...[...granted.ask.read, ...granted.deny.read].map((grant) => grant.path)];
      if (taken.some((secret) => isWithin(probe, secret))) return;
      const kind = effect(viewOf(granted, everythingStands).mounts, probe);
      const given = [granted.workspace, ...granted.childRead, ...granted.allow.read.map((grant) => grant.path)];
      if (!given.some((folder) => isWithin(probe, folder))) return;
      shown += 1;
      expect(["readOnly", "readWrite"]).toContain(kind);
    }),
    { numRuns: 3_000 },
  );
  expect(shown).toBeGreaterThan(50);
});

const READ = RIGHT.readFile | RIGHT.readDirectory;
const WRITE = RIGHT.writeFile | RIGHT.makeFile | RIGHT.makeDirectory | RIGHT.removeFile | RIGHT.removeDirectory;

/** What Landlock makes of rules: each holds for all that is below its path, and they add up. */
const given = (rules: readonly Rule[], of: string): number =>
  rules.reduce((all, rule) => (isWithin(of, rule.path) ? all | rule.rights : all), 0);

it("gives a child under Landlock no more than one in bubblewrap sees, and all of it where nothing below is less", () => {
  fc.assert(
    fc.property(authority, path, (granted, probe) => {
      const { mounts } = viewOf(granted, everythingStands);
      const rights = given(
        landlockRules(mounts, () => NAMES),
        probe,
      );
      const seen = visibilityOf(mounts, probe);
      if (seen !== "readWrite") expect(rights & (WRITE | RIGHT.truncate | RIGHT.refer)).toBe(0);
      if (seen !== "readOnly") expect(rights & RIGHT.execute).toBe(0);
      if (seen !== "readOnly" && seen !== "readWrite") expect(rights).toBe(0);
      const isWhole = mounts.every(
        (mount) => !isWithin(mount.path, probe) || visibilityOf(mounts, mount.path) === seen,
      );
      if (!isWhole) return;
      if (seen === "readOnly") expect(rights).toBe(READ | RIGHT.execute);
      if (seen === "readWrite") expect(rights & (READ | WRITE)).toBe(READ | WRITE);
    }),
    { numRuns: 1_000 },
  );
});
