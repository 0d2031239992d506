import type { ProgramGrant } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../src/index.ts";
import { codeRunner } from "../../src/tables/code-runners.ts";
import { lintAuthority } from "../../src/tables/lint.ts";
import { any, authorityOf, MANIFESTS, word } from "../policy-fixture.ts";

const found = (...run: ProgramGrant[]) => lintAuthority(authorityOf({ run })).map(({ message }) => message);

describe("code runners", () => {
  it.each(
    "sh bash dash zsh ksh93 busybox busybox.static env nice timeout xargs nohup setsid sudo su doas ssh perl perl5.36.0 python python3 python3.11 python3.11-dbg ruby3.1 node node18 nodejs lua5.4 php8.2 tclsh8.6 vim.basic less gdb chroot unshare bwrap systemd-run socat.1 make gcc-12 g++-12 x86_64-linux-gnu-gcc-12 clang++-15 ld.gold ld-linux-x86-64.so.2 ld-musl-x86_64.so.1 R Rscript bash-static BASH rename".split(
      " ",
    ),
  )("%s runs what its operands say", (name) => expect(codeRunner(`/usr/bin/${name}`)).toBe("operands"));

  it.each(
    "git git-lfs find sed awk gawk tar rg sort man npm pnpm yarn pip3 pip3.11 cargo go cmake curl wget nc.openbsd docker crun-docker-compose kubectl rsync mvn".split(
      " ",
    ),
  )("%s runs code through options", (name) => {
    expect(codeRunner(`/usr/bin/${name}`)).toBe(name === "crun-docker-compose" ? null : "options");
  });

  it.each("echo cat ls grep head tail wc true sha256sum base64 jq cut tr uniq diff stat 7z mkdir cp mv rm".split(" "))(
    "%s is harmless by name",
    (name) => expect(codeRunner(`/usr/bin/${name}`)).toBeNull(),
  );
});

describe("lintAuthority", () => {
  it("accepts what an honest configuration holds, also twice", () => {
    expect(
      found(
        any("/usr/bin/echo"),
        any("/usr/bin/echo"),
        word("/usr/bin/git", "status"),
        word("/usr/bin/git", "diff", ["--stat", "--cached", "-n"]),
        word("/usr/bin/git", "diff", ["--stat"]),
        any("/usr/bin/bash", { unsafe: true }),
        word("/usr/bin/npm", "test"),
      ),
    ).toEqual([]);
  });

  it("refuses any arguments for a program that can execute other code", () => {
    expect(found(any("/usr/bin/git"))).toEqual([
      "`git` can execute other code, so any arguments means any program; list first words and flags, or write { any = true, unsafe = true }",
    ]);
    expect(found(any("/usr/bin/env"))[0]).toContain("; write { any = true, unsafe = true }");
  });

  it("refuses a word where the code stands behind the word", () => {
    expect(found(word("/bin/sh", "script.sh"))[0]).toContain("a word does not limit it");
    expect(found(word("/usr/bin/timeout", "5"))[0]).toContain("a word does not limit it");
    expect(found(word("/usr/bin/make", "test"))[0]).toContain("a word does not limit it");
  });

  it("looks at the file behind a link as well as at the link", () => {
    expect(found(any("/usr/local/bin/list", { realPath: "/bin/busybox" }))).toHaveLength(1);
    expect(found(any("/usr/local/bin/tool", { realPath: "/usr/bin/python3.11" }))).toHaveLength(1);
    expect(found(any("/bin/sh", { realPath: "/opt/harmless" }))).toHaveLength(1);
    expect(found(word("/usr/bin/git", "status", [], "/usr/bin/dash"))).toHaveLength(1);
  });

  it.each([
    [word("/usr/bin/tool", ""), "has an empty word"],
    [word("/usr/bin/tool", "-c"), "begins with a dash"],
    [word("/usr/bin/tool", "*"), "taken literally"],
    [word("/usr/bin/tool", "a\0b"), "holds what no argument can hold"],
    [word("/usr/bin/tool", "\ud800"), "holds what no argument can hold"],
    [word("/usr/bin/tool", "a", ["b"]), 'flag "b" does not begin with a dash'],
    [word("/usr/bin/tool", "a", ["--format=x"]), 'applies only when these are listed too: "--format"'],
    [word("/usr/bin/tool", "a", ["-name", "-n"]), 'listed too: "-a", "-m", "-e"'],
  ])("refuses a rule that could never apply %#", (grant, message) => {
    expect(found(grant).join()).toContain(message);
  });

  it("checks the words of the deny table, and lets it name any program", () => {
    const denyRun = [any("/bin/sh"), word("/usr/bin/env", "sh"), word("/usr/bin/git", "-x")];
    expect(lintAuthority(authorityOf({ denyRun })).map(({ message }) => message)).toEqual([
      '`git` word "-x" begins with a dash, and such an argument is never a word',
    ]);
  });

  it("refuses a command line in the place of a word, in every table whose entry would forbid nothing", () => {
    const line = word("/usr/bin/git", "push --force");
    const message = '`git` word "push --force" is a single argument; write the first one, and its options under flags';
    const none = { read: [], write: [], run: [] };
    const after = { secret: [line], untrusted: [] };
    for (const authority of [
      authorityOf({ denyRun: [line] }),
      authorityOf({ denyRun: [word("/usr/bin/git", "remote add")] }),
      authorityOf({ askRun: [line] }),
      { ...authorityOf(), after },
      { ...authorityOf(), after: { ...after, secret: [], untrusted: [line] } },
      { ...authorityOf(), agents: { a: { allow: {}, ask: none, deny: { ...none, run: [line] } } } },
      { ...authorityOf(), agents: { a: { allow: {}, ask: { ...none, run: [line] }, deny: none } } },
    ]) {
      expect(lintAuthority(authority).map((found) => found.message.replace("remote add", "push --force"))).toEqual([
        message,
      ]);
    }
    // A permit of such an argument permits too little, if anything, and `policy allow` writes it for a call that had it.
    const awk = word("/usr/bin/tool", "{ print $1 -1 }");
    expect(lintAuthority(authorityOf({ run: [line, awk], askRun: [awk], denyRun: [awk] }))).toEqual([]);
  });

  it("refuses a word that a broader entry makes pointless", () => {
    expect(found(any("/usr/bin/echo"), word("/usr/bin/echo", "hello"))).toEqual([
      '`echo` word "hello" limits nothing, because femtoclaw.toml:8:1 allows any arguments; keep one of them',
    ]);
  });

  it("refuses a program in a folder of FemtoClaw itself", () => {
    const run = [any("/state/tool"), any("/usr/bin/link", { realPath: "/state/bin/tool" }), any("/state-of-art/tool")];
    expect(lintAuthority(authorityOf({ run, floor: ["/state"] }))).toHaveLength(2);
  });

  it("is part of compiling, and names every place", () => {
    const authority = authorityOf({ run: [any("/usr/bin/git"), word("/usr/bin/tool", "-x")] });
    expect(() => compilePolicy({ authority, manifests: MANIFESTS })).toThrowError(
      expect.objectContaining({
        code: "FEMTO_POLICY_INVALID",
        message: expect.stringMatching(/^femtoclaw\.toml:8:1: `git` .*; femtoclaw\.toml:9:1: `tool` word "-x"/),
      }),
    );
  });

  it.each(["relative", "/ws/", "/ws/../etc", "/ws/./x", "//ws", "", "/a\0b", "/\ud800"])(
    "takes the path %j for a bug of its caller",
    (path) => {
      expect(() => lintAuthority(authorityOf({ read: [path] }))).toThrow("canonical");
      expect(() => lintAuthority(authorityOf({ floor: [path] }))).toThrow("canonical");
      expect(() => lintAuthority(authorityOf({ denyRun: [any(path)] }))).toThrow("canonical");
    },
  );
});
