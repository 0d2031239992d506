/** Files of the system that a child gets as copies: they show what the system has, and change nothing anywhere. */
import { readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hostInspection, type SandboxView, viewOf } from "../src/index.ts";
import { COPIED_DESCRIPTOR, withCopies } from "../src/views/copied-files.ts";
import type { Mount } from "../src/views/mounts.ts";
import { SYSTEM_FILES } from "../src/views/system.ts";
import { grants, type Playground, playground, run } from "./playground.ts";
import { groups, usual, waitingOf } from "./waiting-fixture.ts";

const copiesIn = (mounts: readonly Mount[]): readonly string[] =>
  mounts.flatMap(({ kind, path }) => (kind === "copied" ? [path] : []));

/** The view with one more copy, of a file that no child sees otherwise. */
function withCopyOf(file: string, view: SandboxView): SandboxView {
  const descriptor = COPIED_DESCRIPTOR + copiesIn(view.mounts).length;
  return { ...view, mounts: [...view.mounts, { kind: "copied", path: file, descriptor }] };
}

const outside = ({ root }: Playground): string => join(root, "outside");

describe("a copied file", () => {
  it("has the content of the system's own and cannot be changed", async () => {
    using place = playground();
    const view = viewOf(place.authority);
    const copies = copiesIn(view.mounts);
    expect(copies).toContain("/etc/passwd");
    const { stdout } = await run(place, ["cat", ...copies], { view });
    expect(stdout).toEqual(Buffer.concat(copies.map((path) => readFileSync(path))));
    const attack =
      'for f in "$@"; do chmod 666 $f; echo x >>$f; echo x >$f; rm -f $f; mv $f $f.old; ln $f $f.new; done; echo x >/etc/new';
    const ran = await run(place, ["sh", "-c", `(${attack}) 2>/dev/null; cat "$@"`, "sh", ...copies], { view });
    expect(ran.stdout).toEqual(stdout);
  });

  it("leaves no descriptor to the program, and the system's own file as it was", async () => {
    using place = playground();
    const view = withCopyOf(outside(place), viewOf(place.authority));
    const script = 'ls /proc/self/fd; for f in /proc/*/fd/*; do echo x >>"$f"; done 2>/dev/null; echo x >>"$1"';
    const { stdout } = await run(place, ["sh", "-c", script, "sh", outside(place)], { view });
    expect(stdout.toString()).not.toMatch(/^1[0-9]$/m);
    expect(readFileSync(outside(place), "utf8")).not.toContain("x\n");
  });

  it("that cannot be read any more keeps the program from starting", async () => {
    using place = playground();
    const view = withCopyOf(outside(place), viewOf(place.authority));
    rmSync(outside(place));
    const attempt = () => run(place, ["true"], { view });
    await expect(attempt()).rejects.toMatchObject({ code: "FEMTO_SANDBOX_UNAVAILABLE" });
    symlinkSync(place.workspace, outside(place));
    await expect(attempt()).rejects.toThrow("it is no file");
  });

  it.runIf(groups !== null)(
    "that was replaced is the new one for the next program, though its child waited",
    async () => {
      await using usually = await usual();
      const { place } = usually;
      const view = withCopyOf(outside(place), usually.view);
      const seen = async () => (await run(place, ["cat", outside(place)], { view, isUsual: true })).stdout.toString();
      await seen();
      for (const content of ["the second", "the third"]) {
        await expect.poll(() => waitingOf(process.pid).length).toBeGreaterThan(0);
        writeFileSync(join(place.root, "new"), content);
        renameSync(join(place.root, "new"), outside(place));
        expect(await seen()).toBe(content);
      }
      await expect.poll(() => waitingOf(process.pid).length).toBeGreaterThan(0);
      writeFileSync(outside(place), "written in place");
      expect(await seen()).toBe("written in place");
    },
  );
});

describe("what is copied", () => {
  const shown = (path: string): Mount => ({ kind: "readOnly", path });

  it("is a readable file that is not large, and no folder", () => {
    using place = playground();
    const [small, large, link] = ["small", "large", "link"].map((name) => join(place.root, name)) as [
      string,
      ...string[],
    ];
    writeFileSync(small, "");
    writeFileSync(large as string, Buffer.alloc(262_145));
    symlinkSync(small, link as string);
    const paths = [small, large, link, place.workspace, join(place.root, "missing")] as string[];
    expect(copiesIn(withCopies(paths.map(shown), paths, hostInspection))).toEqual([small, link]);
  });

  it("is nothing that was granted", () => {
    expect(copiesIn(withCopies([shown("/etc/passwd"), shown("/etc/shadow")], SYSTEM_FILES, hostInspection))).toEqual([
      "/etc/passwd",
    ]);
  });

  const others: readonly Mount[] = [
    { kind: "readWrite", path: "/" },
    { kind: "readOnly", path: "/etc" },
    { kind: "readWrite", path: "/etc" },
    { kind: "maskFile", path: "/etc/passwd" },
    { kind: "maskFolder", path: "/etc" },
    { kind: "readOnly", path: "/etc/passwd/x" },
  ];
  for (const other of others) {
    it(`is nothing where ${other.kind} shows ${other.path}, because a copy would be written to what is shown`, () => {
      for (const mounts of [
        [other, shown("/etc/passwd")],
        [shown("/etc/passwd"), other],
      ]) {
        expect(withCopies(mounts, SYSTEM_FILES, hostInspection)).toEqual(mounts);
      }
    });
  }

  it("is nothing of a system whose folder the operator granted", async () => {
    const file = realpathSync("/etc/passwd");
    using place = playground(({ workspace }) => ({
      allow: { read: grants(workspace, "/etc"), write: [], run: [] },
    }));
    const before = readFileSync(file);
    const view = viewOf(place.authority);
    expect(copiesIn(view.mounts)).toEqual([]);
    expect(await run(place, ["cat", "/etc/passwd"], { view })).toMatchObject({ exitCode: 0, stdout: before });
    expect(readFileSync(file)).toEqual(before);
  });
});
