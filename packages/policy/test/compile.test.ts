import { describe, expect, it } from "vitest";
import { policyRevision } from "../src/compile.ts";
import { compilePolicy, describePolicy } from "../src/index.ts";
import { isNeverSet } from "../src/tables/environment.ts";
import { any, authorityOf, CLOCK, FS_READ, FS_WRITE, MANIFESTS, PROCESS_EXEC, word } from "./policy-fixture.ts";

const FULL = authorityOf({
  read: ["/ws", "/data"],
  write: ["/ws/out"],
  run: [any("/usr/bin/echo"), word("/usr/bin/git", "status", ["--short"]), word("/usr/bin/git", "log")],
  denyRead: ["/ws/secrets"],
  denyWrite: ["/ws/out/keep"],
  denyRun: [word("/usr/bin/git", "push")],
  floor: ["/state", "/ws/femtoclaw.toml"],
  environmentNames: ["LANG", "PATH", "LD_PRELOAD"],
});

const textOf = (id: string, authority = FULL) =>
  compilePolicy({ authority, manifests: MANIFESTS }).rules.find((rule) => rule.id === id)?.text;

describe("compilePolicy", () => {
  it("gives each entry a stable id, its source and a reason", () => {
    const { rules } = compilePolicy({
      authority: FULL,
      manifests: MANIFESTS,
      tools: [{ name: "clock_now", source: "createRuntime" }],
    });
    expect(rules.map(({ id, source, reason }) => [id, source, reason])).toEqual([
      ["floor/own-files", null, "state, configuration, policy, keys and sockets of FemtoClaw are out of reach"],
      ["floor/obeyed-later", null, "files that tools run or obey later, such as .git and .envrc, are not written"],
      [
        "floor/environment",
        null,
        "a call may set only variables that are listed, and none that chooses what code runs",
      ],
      ["toml/deny.read/1", "file:1:1", "reading and changing /ws/secrets and everything below it is forbidden"],
      ["toml/deny.write/1", "file:1:1", "changing /ws/out/keep and everything below it is forbidden"],
      ["toml/deny.run.git/1", "femtoclaw.toml:9:1", "running /usr/bin/git with the first word `push` is forbidden"],
      ["toml/allow.read/1", "file:1:1", "reading /ws and everything below it is allowed"],
      ["toml/allow.read/2", "file:2:1", "reading /data and everything below it is allowed"],
      ["toml/allow.write/1", "file:1:1", "writing /ws/out and everything below it is allowed"],
      ["toml/allow.run.echo/1", "femtoclaw.toml:8:1", "running /usr/bin/echo with any arguments is allowed"],
      [
        "toml/allow.run.git/1",
        "femtoclaw.toml:9:1",
        "running /usr/bin/git with the first word `status` and no dash-arguments but --short is allowed",
      ],
      [
        "toml/allow.run.git/2",
        "femtoclaw.toml:9:1",
        "running /usr/bin/git with the first word `log` and no dash-arguments is allowed",
      ],
      ["tools/clock_now", "createRuntime", "every use of clock_now is allowed"],
    ]);
  });

  it("writes the Cedar that a reader expects", () => {
    expect(textOf("toml/allow.read/1")).toBe(
      'permit (principal, action in [Action::"fs_list", Action::"fs_read"], resource in Path::"/ws");',
    );
    expect(textOf("toml/allow.run.git/1")).toBe(
      'permit (principal, action == Action::"process_exec", resource == Program::"/usr/bin/git")\n' +
        'when { context.real_path == "/usr/bin/git" && context has word && context.word == "status" && ["--short"].containsAll(context.flags) };',
    );
    expect(textOf("toml/allow.run.git/2")).toContain("context.flags.isEmpty()");
    expect(textOf("floor/environment")).toContain('unless { ["LANG"].containsAll(context.environment) }');
    expect(textOf("floor/environment", authorityOf())).toContain("unless { context.environment.isEmpty() }");
  });

  it("keeps what tools obey later from being written, unless a grant names it", () => {
    const text = textOf("floor/obeyed-later", authorityOf({ write: ["/ws/out", "/ws/.npmrc"] }));
    for (const path of ["/ws/.git", "/ws/out/.envrc", "/ws/.npmrc/.claude"]) expect(text).toContain(`"${path}"`);
    expect(text).not.toContain('"/ws/.npmrc"');
    expect(text).not.toContain("&&");
    const repository = textOf("floor/obeyed-later", authorityOf({ write: ["/data/.git"] }));
    for (const part of ["config", "hooks", "commondir"]) expect(repository).toContain(`"/data/.git/${part}"`);
    expect(repository).not.toContain('"/data/.git"');
    const named = textOf("floor/obeyed-later", authorityOf({ write: ["/ws", "/ws/.git/hooks"] }));
    expect(named).toContain('&& !(resource in [Path::"/ws/.git/hooks"])');
  });

  it("widens a forbidden option to its abbreviations and the parts of its bundle", () => {
    const text = textOf(
      "toml/deny.run.git/1",
      authorityOf({ denyRun: [word("/usr/bin/git", "push", ["--force=x", "-df"])] }),
    );
    for (const spelling of ['"--f"', '"--forc"', '"--force"', '"--force=x"', '"-d"', '"-f"', '"-df"']) {
      expect(text).toContain(spelling);
    }
  });

  it("has a revision that names engine, schema, ids and texts, and nothing else", () => {
    const base = compilePolicy({ authority: FULL, manifests: MANIFESTS });
    expect(compilePolicy({ authority: FULL, manifests: MANIFESTS.toReversed() }).revision).toBe(base.revision);
    const others = [
      compilePolicy({ authority: authorityOf(), manifests: MANIFESTS }),
      compilePolicy({ authority: FULL, manifests: [FS_READ, FS_WRITE, PROCESS_EXEC] }),
    ];
    for (const other of others) expect(other.revision).not.toBe(base.revision);
    const one = { id: "a", text: "b" };
    const two = { id: "c", text: "d" };
    expect(policyRevision("e", "s", [one, two])).toBe(policyRevision("e", "s", [two, one]));
    // Joined without lengths, each of these would be the same bytes.
    const joined = [
      policyRevision("e", "s", [{ id: "ab", text: "c" }]),
      policyRevision("e", "s", [{ id: "a", text: "bc" }]),
      policyRevision("es", "", [{ id: "a", text: "bc" }]),
      policyRevision("e", "sa", [{ id: "", text: "bc" }]),
    ];
    expect(new Set(joined).size).toBe(joined.length);
  });

  it("permits by name only what names no path and no program", () => {
    const compile = (name: string) =>
      compilePolicy({ authority: authorityOf(), manifests: MANIFESTS, tools: [{ name, source: "option tools" }] });
    expect(compile("clock_now").rules.at(-1)?.text).toBe(
      'permit (principal, action == Action::"clock_now", resource);',
    );
    expect(() => compile("fs_read")).toThrow("option tools: `fs_read` cannot be allowed by name");
    expect(() => compile("process_exec")).toThrow("use the tables run");
    expect(() => compile("nothing")).toThrow("no capability is called `nothing`");
  });

  it("takes a tool that is named twice once", () => {
    const tools = [
      { name: "clock_now", source: "first" },
      { name: "clock_now", source: "second" },
    ];
    const { rules } = compilePolicy({ authority: authorityOf(), manifests: [CLOCK], tools });
    expect(rules.map(({ id, source }) => [id, source])).toEqual([["tools/clock_now", "first"]]);
  });

  it("leaves out entries that no capability could use", () => {
    expect(compilePolicy({ authority: FULL, manifests: [CLOCK] }).rules).toEqual([]);
  });
});

describe("environment", () => {
  it.each(["PATH", "path", "LD_PRELOAD", "LD_AUDIT", "NODE_OPTIONS", "BASH_ENV", "BASH_FUNC_x%%", "PYTHONPATH"])(
    "%s is never taken from a call",
    (name) => expect(isNeverSet(name)).toBe(true),
  );
  it.each(["GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "PERL5OPT", "RUBYOPT", "JAVA_TOOL_OPTIONS", "IFS", "HOME", "PAGER"])(
    "%s is never taken from a call",
    (name) => expect(isNeverSet(name)).toBe(true),
  );
  it.each(["PYTEST_ADDOPTS", "PYLINTRC", "COVERAGE_RCFILE", "NIX_PATH", "TEXMFCNF", "TS_NODE_COMPILER", "COMPOSER"])(
    "%s is never taken from a call",
    (name) => expect(isNeverSet(name)).toBe(true),
  );
  it.each(["MAGICK_CONFIGURE_PATH", "GST_PLUGIN_SCANNER", "LADSPA_PATH", "CHROME_BIN", "ESBUILD_BINARY_PATH"])(
    "%s is never taken from a call",
    (name) => expect(isNeverSet(name)).toBe(true),
  );
  it.each(["PUPPETEER_EXECUTABLE_PATH", "PSModulePath", "JUPYTER_PATH", "YACC", "FCEDIT"])(
    "%s is never taken from a call",
    (name) => expect(isNeverSet(name)).toBe(true),
  );
  it.each([
    "TEXT",
    "GETTEXT",
    "AUTOPLAY",
    "REMOTE",
    "LANG",
    "TZ",
    "GIT_AUTHOR_NAME",
    "CI",
    "DEBUG",
    "NO_COLOR",
    "MY_PATH",
  ])("%s may be listed", (name) => expect(isNeverSet(name)).toBe(false));
});

describe("describePolicy", () => {
  it("shows every rule with its origin", () => {
    const policy = compilePolicy({ authority: FULL, manifests: MANIFESTS });
    const text = describePolicy(policy);
    expect(text).toContain(`// revision ${policy.revision}`);
    expect(text).toContain(
      "// toml/allow.read/2 (file:2:1)\n// reading /data and everything below it is allowed\npermit",
    );
    expect(text).toContain("// floor/own-files (built in)");
    for (const { text: rule } of policy.rules) expect(text).toContain(rule);
  });

  it("lets no path end its comment or hide what it is", () => {
    const policy = compilePolicy({
      authority: authorityOf({ read: ["/ws/\npermit (principal, action, resource);", "/\u202eexe"] }),
      manifests: MANIFESTS,
    });
    const lines = describePolicy(policy).split("\n");
    expect(lines.filter((line) => line.startsWith("permit (principal, action, resource)"))).toEqual([]);
    expect(lines.join("\n")).not.toContain("\u202e");
  });
});
