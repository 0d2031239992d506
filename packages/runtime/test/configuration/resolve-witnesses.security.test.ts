/** Witnesses that would witness nothing, or that a call could play, are refused with their place. */
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AuditTable, Configuration } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { temporaryHome } from "../runtime-fixture.ts";

const VKEY = "w.example/1+9d4d5f5e+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const file = (path: string, name = "disk") => ({ kind: "file", name, path }) as const;

/** What the configuration is refused for; empty when it loads. */
function faultsOf(audit: unknown, configuration: Configuration = {}, home = temporaryHome()): string {
  try {
    home.configuration({ ...configuration, audit: audit as AuditTable });
    return "";
  } catch (error) {
    return String(error);
  }
}

const witness = (fields: Record<string, unknown>) => ({ witness: [fields] });

describe("a configuration", () => {
  it("names the file by its canonical folder, and no call reaches it", () => {
    const home = temporaryHome();
    mkdirSync(join(home.root, "elsewhere"));
    symlinkSync(join(home.root, "elsewhere"), join(home.root, "link"));
    const { witnesses, witnessesRequired, authority } = home.configuration({
      audit: { require: true, witness: [file("link/log.jsonl")] },
    });
    const path = join(home.root, "elsewhere/log.jsonl");
    expect([witnesses, witnessesRequired]).toEqual([[file(path)], true]);
    expect(authority.floor).toContain(path);
    expect(home.configuration().witnesses).toEqual([]);
  });

  it("that changes its witnesses is another configuration", () => {
    const home = temporaryHome();
    const digests = [{}, witness(file("a")), { ...witness(file("a")), require: true }, witness(file("b"))].map(
      (audit) => home.configuration({ audit: audit as AuditTable }).sha256,
    );
    expect(new Set(digests).size).toBe(4);
  });

  it.each([
    ["/audit/require: this has no effect without", { require: true }],
    ['/audit/witness/0: a witness of kind "file" needs `path`', witness({ kind: "file", name: "a" })],
    ['/audit/witness/0: a witness of kind "command" needs `command`', witness({ kind: "command", name: "a" })],
    ['/audit/witness/0: a witness of kind "http" needs `url` and `vkey`', witness({ kind: "http", name: "a" })],
    ['/audit/witness/0/kind: expected "file", "command", "http"; found "paper"', witness({ kind: "paper", name: "a" })],
    ["/audit/witness/0/name: expected text that matches", witness(file("x", "../a"))],
    ['/audit/witness/0/url: a witness of kind "file" has no `url`', witness({ ...file("x"), url: "http://x" })],
    ["/audit/witness/0: unknown key".replace(": u", "/paht: u"), witness({ ...file("x"), paht: "x" })],
    ["/audit/witness/1/name: another witness is called `disk` already", { witness: [file("x"), file("y")] }],
    ["/audit/witness/0/path: ", witness(file("state/x"))],
    ["rolling that folder back would roll the witness back too", witness(file("state/deep/x"))],
    ["rolling that folder back would roll the witness back too", witness(file("run/x"))],
    ["/audit/witness/0/command: expected the absolute path", witness({ kind: "command", name: "a", command: ["sh"] })],
    ["is not an executable program", witness({ kind: "command", name: "a", command: ["/nowhere"] })],
    ["is not an executable program", witness({ kind: "command", name: "a", command: ["/tmp"] })],
    ["/audit/witness/0/url: an address must not contain", witness(http("http://u:p@x.example"))],
    ["/audit/witness/0/url: expected an address", witness(http("http://x.example/?y"))],
    ["/audit/witness/0/url: expected text that matches", witness(http("ftp://x.example"))],
    ["/audit/witness/0/vkey: expected the public key of a witness", witness(http("http://x.example", `${VKEY}A`))],
  ])("is refused with %j", (words, audit) => expect(faultsOf(audit)).toContain(words));

  it("is refused when calls could write where the witness is kept", () => {
    const writing: Configuration = { allow: { write: ["workspace"] } };
    expect(faultsOf(witness(file("workspace/x")), writing)).toContain("calls could replace the witness");
    expect(faultsOf(witness(file("workspace/x")), { ...writing, deny: { write: ["workspace"] } })).toBe("");
    // A yes to one call is no yes to what it makes possible, and a grant may name the very file.
    for (const tables of [{ ask: { write: ["workspace"] } }, { allow: { write: ["workspace/x"] } }]) {
      expect(faultsOf(witness(file("workspace/x")), tables)).toContain("calls could replace the witness");
    }
  });

  it("is refused when calls could change the program that a link leads to", () => {
    const home = temporaryHome();
    mkdirSync(join(home.root, "tools"));
    writeFileSync(join(home.root, "workspace/program"), "#!/bin/sh\n", { mode: 0o755 });
    symlinkSync(join(home.root, "workspace/program"), join(home.root, "tools/program"));
    const audit = witness({ kind: "command", name: "a", command: [join(home.root, "tools/program")] });
    expect(faultsOf(audit, {}, home)).toBe("");
    expect(faultsOf(audit, { ask: { write: ["workspace"] } }, home)).toContain("calls could replace the witness");
  });

  it("is refused when others could change the program", () => {
    const home = temporaryHome();
    const program = join(home.root, "program");
    writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
    const audit = witness({ kind: "command", name: "a", command: [program] });
    expect(faultsOf(audit, {}, home)).toBe("");
    const writing: Configuration = { allow: { write: ["."] }, deny: { write: ["workspace"] } };
    expect(faultsOf(audit, writing, home)).toContain(`calls could replace the witness ${program}`);
    chmodSync(program, 0o757);
    expect(existsSync(program)).toBe(true);
    expect(faultsOf(audit, {}, home)).toContain("can be changed by others");
  });
});

function http(url: string, vkey = VKEY): Record<string, unknown> {
  return { kind: "http", name: "a", url, vkey };
}
