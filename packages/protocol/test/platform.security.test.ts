/** Where a system cannot say what a promise rests on, the answer is a refusal and never a guess. */
import { describe, expect, it } from "vitest";
import { namesByDescriptor, ownUser, platformLacks } from "../src/index.ts";

describe("the user whose files count", () => {
  it("is the one who runs this, and nobody where users have no numbers", () => {
    expect(ownUser(process.getuid)).toBe(process.getuid?.());
    expect(ownUser()).toBe(process.geteuid?.());
    expect(() => ownUser(null)).toThrow(expect.objectContaining({ code: "FEMTO_PLATFORM_UNSUPPORTED" }));
  });
});

describe("a system", () => {
  it("is one on which all holds, or it is said what is refused there", () => {
    const systems = ["linux", "darwin", "win32", "freebsd", "openbsd", "aix", "sunos"] as const;
    expect(systems.filter((name) => namesByDescriptor(name))).toEqual(["linux"]);
    expect(systems.filter((name) => platformLacks(name) === null)).toEqual(["linux"]);
  });
});
