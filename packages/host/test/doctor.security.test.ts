/** What `doctor` says of a state directory that no host would take: what is wrong, and no advice that loses what is there. */
import { chmodSync, chownSync, cpSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Playground } from "./playground.ts";

interface Finding {
  readonly check: string;
  readonly verdict: string;
  readonly detail: string;
  readonly fix?: string;
}

const isRoot = process.getuid?.() === 0;
const OTHER_UID = 65_534;

async function examined(place: Playground): Promise<Readonly<Record<string, Finding>>> {
  const { value } = await place.json<Finding[]>(["doctor"]);
  return Object.fromEntries(value.map((finding) => [finding.check, finding]));
}

/** A journal with a call in it, and nobody who holds it. */
async function stopped(): Promise<Playground> {
  const place = new Playground();
  await place.up();
  await place.call("fs_read", { path: "notes.txt" });
  await place.down();
  return place;
}

describe("the key of a stopped log", () => {
  test("is missed where it is gone, and where another one lies in its place", async () => {
    await using place = await stopped();
    const key = join(place.state, "keys/log.pem");
    expect((await examined(place))["journal"]?.verdict).toBe("ok");
    renameSync(key, join(place.root, "kept.pem"));
    expect((await examined(place))["journal"]).toMatchObject({
      verdict: "fail",
      detail: expect.stringMatching(/^the private key of the log femtoclaw\.local\/\w+ is missing$/),
      fix: expect.stringContaining("Restore the key file from a backup"),
    });
    expect((await place.run(["up"])).stderr).toContain("FEMTO_KEY_MISSING");

    await using other = await stopped();
    renameSync(join(other.state, "keys/log.pem"), key);
    expect((await examined(place))["journal"]?.detail).toContain("is not the one in force");
    renameSync(join(place.root, "kept.pem"), key);
    expect((await examined(place))["journal"]?.verdict).toBe("ok");
    await place.up();
  });

  test("is not asked for where the next start takes one of its own", async () => {
    await using place = await stopped();
    rmSync(join(place.state, "keys/log.pem"));
    rmSync(join(place.state, "identity"));
    expect((await examined(place))["journal"]?.verdict).toBe("ok");
    await place.up();
  });
});

describe("a stopped log that was seen before", () => {
  test("is missed where an older copy of it lies in its place, which is a right log by itself", async () => {
    await using place = await stopped();
    const journal = join(place.state, "journal");
    const [older, newer] = [join(place.root, "older"), join(place.root, "newer")];
    cpSync(journal, older, { recursive: true });
    await place.up();
    await place.call("fs_read", { path: "notes.txt" });
    await place.run(["status"]);
    await place.down();
    expect((await examined(place))["remembered"]).toMatchObject({
      verdict: "ok",
      detail: expect.stringContaining("continues from there"),
    });
    renameSync(journal, newer);
    renameSync(older, journal);
    expect((await examined(place))["remembered"]).toMatchObject({
      verdict: "fail",
      detail: expect.stringMatching(
        /, and the journal does not continue from there: only \d+ of its records are signed$/,
      ),
      fix: expect.stringContaining("femtoclaw"),
    });
    renameSync(journal, older);
    renameSync(newer, journal);
    expect((await examined(place))["remembered"]?.verdict).toBe("ok");
  });
});

describe("folders above configuration and state", () => {
  test("are named where others can change them", async () => {
    await using place = new Playground();
    expect((await examined(place))["folders above"]?.verdict).toBe("ok");
    const config = place.folder("h/.config");
    for (const folder of [config, place.root]) {
      chmodSync(folder, 0o777);
      expect((await examined(place))["folders above"]).toMatchObject({
        verdict: "warn",
        detail: expect.stringContaining(
          `the folder ${folder} can be changed by others (mode 777); run: chmod go-w ${folder}`,
        ),
      });
      chmodSync(folder, 0o700);
    }
  });
});

describe.runIf(isRoot)("what belongs to another user", () => {
  test("is no empty state directory, and nothing of it is to be forgotten or removed", async () => {
    await using place = await stopped();
    writeFileSync(join(place.state, "reserve"), "");
    const own = process.getuid?.() ?? 0;
    const giveTo = (uid: number): void => {
      for (const name of readdirSync(place.state, { recursive: true, encoding: "utf8" }))
        chownSync(join(place.state, name), uid, uid);
      for (const folder of [place.state, place.runtime]) chownSync(folder, uid, uid);
    };
    giveTo(OTHER_UID);
    try {
      const found = await examined(place);
      for (const check of ["permissions", "journal", "disk", "remembered"]) {
        expect([check, found[check]?.verdict]).toEqual([check, "fail"]);
        expect(found[check]?.detail).toMatch(/user 65534/);
        expect(found[check]?.fix).not.toMatch(/forget|remove/);
      }
      expect(found["permissions"]?.fix).toContain("sudo -u '#65534'");
      // Sockets of somebody else are not asked, so nobody knows.
      expect(found["host"]).toMatchObject({
        verdict: "warn",
        detail: expect.stringContaining("cannot tell whether one runs"),
      });
      expect((await place.run(["status"])).stderr).toContain(
        "Run the command as that user, for example with `sudo -u '#65534'`",
      );
    } finally {
      giveTo(own);
    }
  });
});
