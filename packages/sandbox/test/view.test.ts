import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { heldBack } from "../src/bubblewrap.ts";
import { bubblewrapArguments, DEFAULT_CHILD_LIMITS, viewOf, visibilityOf } from "../src/index.ts";
import { currentView } from "../src/views/current-view.ts";
import { grants, playground, programOf } from "./playground.ts";

const unavailable = (text: string): unknown =>
  expect.objectContaining({ code: "FEMTO_SANDBOX_UNAVAILABLE", message: expect.stringContaining(text) });

describe("viewOf", () => {
  it("shows the workspace read-only, grants as granted, and hides the rest", () => {
    using place = playground();
    const { mounts } = viewOf(place.authority);
    const seen = (path: string): string => visibilityOf(mounts, path);
    expect(seen(join(place.workspace, "readme"))).toBe("readOnly");
    expect(seen(join(place.out, "new"))).toBe("readWrite");
    expect(seen(join(place.workspace, "secrets/key"))).toBe("masked");
    expect(seen(join(place.workspace, "femtoclaw.toml"))).toBe("masked");
    expect(seen(join(place.root, "state/journal"))).toBe("private");
    expect(seen("/usr/bin/env")).toBe("readOnly");
    expect(seen("/etc/shadow")).toBe("hidden");
    expect(seen("/root")).toBe("hidden");
    expect(seen("/run/dbus")).toBe("hidden");
  });

  it("gives the same list whatever the order of the grants", () => {
    using place = playground();
    const { allow, floor } = place.authority;
    const more = { ...place.authority, allow: { ...allow, read: grants("/srv", place.workspace, "/opt") } };
    const turned = { ...more, allow: { ...allow, read: more.allow.read.toReversed() }, floor };
    expect(viewOf(turned).mounts).toEqual(viewOf(more).mounts);
  });

  it("masks the floor last", () => {
    using place = playground(({ root }) => ({ allow: { read: grants(root), write: [], run: [] } }));
    const { mounts } = viewOf(place.authority);
    expect(mounts.slice(-3).map(({ kind }) => kind)).toEqual(["maskFolder", "maskFolder", "maskFile"]);
    expect(mounts.at(-2)?.path).toBe(join(place.root, "state"));
  });

  it("keeps files that are obeyed later read-only in a writable folder unless they are named", () => {
    using place = playground(({ workspace }) => ({ allow: { read: [], write: grants(workspace), run: [] } }));
    const hooks = join(place.workspace, ".git/hooks");
    writeFileSync(join(place.workspace, ".envrc"), "");
    const view = viewOf(place.authority);
    expect(visibilityOf(view.mounts, join(hooks, "pre-commit"))).toBe("readOnly");
    expect(visibilityOf(view.mounts, join(place.workspace, ".envrc"))).toBe("readOnly");
    for (const missing of [".mcp.json", ".git/commondir"]) {
      expect(view.unguarded).toContain(join(place.workspace, missing));
    }
    expect(visibilityOf(view.mounts, join(place.workspace, ".git/index"))).toBe("readWrite");

    const named = { ...place.authority, allow: { read: [], write: grants(place.workspace, hooks), run: [] } };
    expect(visibilityOf(viewOf(named).mounts, join(hooks, "pre-commit"))).toBe("readWrite");
  });

  it("guards the work tree inside a larger writable folder, and the .git file of a linked work tree", () => {
    using place = playground(({ root }) => ({ allow: { read: [], write: grants(root), run: [] } }));
    expect(visibilityOf(viewOf(place.authority).mounts, join(place.workspace, ".git/hooks/x"))).toBe("readOnly");
    rmSync(join(place.workspace, ".git"), { recursive: true });
    writeFileSync(join(place.workspace, ".git"), "gitdir: /elsewhere");
    expect(visibilityOf(viewOf(place.authority).mounts, join(place.workspace, ".git"))).toBe("readOnly");
  });

  it("guards the hooks of a repository that alone may be written, wherever it lies", () => {
    using place = playground(({ workspace }) => ({
      allow: { read: [], write: grants(join(workspace, ".git"), join(workspace, "deep/.git")), run: [] },
    }));
    mkdirSync(join(place.workspace, "deep/.git/hooks"), { recursive: true });
    const { mounts } = viewOf(place.authority);
    for (const repository of [".git", "deep/.git"]) {
      expect(visibilityOf(mounts, join(place.workspace, repository, "index"))).toBe("readWrite");
      expect(visibilityOf(mounts, join(place.workspace, repository, "hooks/pre-commit"))).toBe("readOnly");
    }
  });

  it("lets a denial win over a grant below it", () => {
    using place = playground(({ workspace, out }) => ({
      deny: { read: [], write: grants(workspace), run: [] },
      allow: { read: [], write: grants(out), run: [] },
    }));
    expect(visibilityOf(viewOf(place.authority).mounts, join(place.out, "x"))).toBe("readOnly");
  });

  it.each(["deny.write", "deny.read", "floor"])("refuses %s of a path that a child could create", (table) => {
    using place = playground(({ out }) => {
      const missing = join(out, "later/file");
      if (table === "floor") return { floor: [missing] };
      return { deny: { read: [], write: [], run: [], [table.slice(5)]: grants(missing) } };
    });
    expect(() => viewOf(place.authority)).toThrow(unavailable(join(place.out, "later/file")));
    expect(() => viewOf(place.authority)).toThrow(expect.objectContaining({ fix: "Create it first." }));
  });

  it("refuses to protect or show what lies behind a symbolic link", () => {
    using place = playground(({ workspace }) => ({
      allow: { read: [], write: grants(workspace), run: [] },
      deny: { read: grants(join(workspace, "alias/key")), write: [], run: [] },
    }));
    symlinkSync("secrets", join(place.workspace, "alias"));
    expect(() => viewOf(place.authority)).toThrow(unavailable("symbolic link"));
    const shown = {
      ...place.authority,
      childRead: [join(place.workspace, "alias")],
      allow: { read: [], write: [], run: [] },
    };
    expect(() => viewOf(shown)).toThrow(unavailable("symbolic link"));
  });

  it.each(["/proc", "/proc/sys", "/dev", "/dev/shm"])("refuses to show the host's %s", (path) => {
    using place = playground(() => ({ childRead: [path] }));
    expect(() => viewOf(place.authority)).toThrow(unavailable("cannot be shown"));
  });

  it("never shows the host's /proc and /dev, even when everything is granted", () => {
    using place = playground(() => ({ allow: { read: grants("/"), write: [], run: [] } }));
    const { mounts } = viewOf(place.authority);
    expect(visibilityOf(mounts, "/proc/1/environ")).toBe("private");
    expect(visibilityOf(mounts, "/dev/vda")).toBe("private");
    expect(visibilityOf(mounts, join(place.root, "state"))).not.toBe("readOnly");
  });

  it("refuses a bubblewrap that a child could change, also behind a link", () => {
    using place = playground(({ root, workspace }) => ({
      searchPath: [join(root, "tools")],
      allow: { read: [], write: grants(workspace), run: [] },
    }));
    const real = join(place.workspace, "bwrap");
    writeFileSync(real, "", { mode: 0o755 });
    mkdirSync(join(place.root, "tools"));
    symlinkSync(real, join(place.root, "tools/bwrap"));
    expect(() => viewOf(place.authority)).toThrow(unavailable("is in a folder that children may write to"));
    const denied = { ...place.authority, deny: { read: [], write: grants(real), run: [] } };
    expect(() => viewOf(denied)).not.toThrow();
  });

  it("refuses an unshare that a child could change", () => {
    using place = playground(({ out }) => ({ searchPath: [out] }));
    writeFileSync(join(place.out, "unshare"), "", { mode: 0o755 });
    const planned = () => viewOf(place.authority, undefined, undefined, null, "landlock, namespaces");
    expect(planned).toThrow(unavailable("is in a folder that children may write to"));
  });

  it("refuses where bubblewrap is not installed, and where the filter is not yet built", () => {
    using place = playground(() => ({ searchPath: ["/nonexistent"] }));
    expect(() => viewOf(place.authority)).toThrow(unavailable("bubblewrap"));
  });

  it("says which grants it could not show", () => {
    using place = playground(({ out }) => ({ allow: { read: [], write: grants(join(out, "none")), run: [] } }));
    expect(viewOf(place.authority).absent).toEqual([join(place.out, "none")]);
  });
});

describe("currentView", () => {
  it("is the same view until something appears that the plan took for missing", () => {
    using place = playground(({ workspace }) => ({
      deny: { read: grants(join(workspace, ".env")), write: [], run: [] },
    }));
    const view = viewOf(place.authority);
    expect(currentView(view)).toBe(view);
    mkdirSync(join(place.workspace, ".env"));
    expect(visibilityOf(currentView(view).mounts, join(place.workspace, ".env"))).toBe("masked");
  });
});

describe("currentView while children run", () => {
  it("takes nothing new for a mount where a child may write, until none runs", () => {
    using place = playground(({ workspace }) => ({ allow: { read: [], write: grants(workspace), run: [] } }));
    const view = viewOf(place.authority);
    const vscode = join(place.workspace, ".vscode");
    mkdirSync(vscode);
    const held = currentView(view, true);
    expect(held.mounts).toEqual(view.mounts);
    expect(held.mounts.map(({ path }) => path)).not.toContain(vscode);
    expect(visibilityOf(currentView(held).mounts, vscode)).toBe("readOnly");
    expect(currentView(currentView(held), true).mounts).toEqual(currentView(held).mounts);
  });

  it("still hides what appears where no child may write", () => {
    using place = playground(({ workspace }) => ({
      deny: { read: grants(join(workspace, ".env")), write: [], run: [] },
    }));
    const view = viewOf(place.authority);
    writeFileSync(join(place.workspace, ".env"), "");
    expect(visibilityOf(currentView(view, true).mounts, join(place.workspace, ".env"))).toBe("masked");
  });

  it("takes a link for a link, also when it turns into a folder", () => {
    using place = playground(({ workspace }) => ({ allow: { read: [], write: grants(workspace), run: [] } }));
    const vscode = join(place.workspace, ".vscode");
    symlinkSync("deep", vscode);
    const view = viewOf(place.authority);
    rmSync(vscode);
    mkdirSync(vscode);
    expect(currentView(view, true).mounts).toEqual(view.mounts);
    expect(visibilityOf(currentView(view).mounts, vscode)).toBe("readOnly");
  });
});

describe("bubblewrapArguments", () => {
  it("refuses a program or a folder that the child does not see or may change", () => {
    using place = playground();
    const view = viewOf(place.authority);
    const command = { ...programOf("true"), args: [], cwd: place.workspace, environment: {} };
    const attempt = (change: object) => () =>
      bubblewrapArguments(view, { ...command, ...change }, DEFAULT_CHILD_LIMITS);
    expect(attempt({ realPath: "/opt/tool" })).toThrow(unavailable("not visible"));
    expect(attempt({ realPath: join(place.out, "tool") })).toThrow(unavailable("children may write"));
    expect(attempt({ program: join(place.out, "tool") })).toThrow(unavailable("children may write"));
    for (const cwd of ["/root", "/tmp", join(place.workspace, "secrets")]) {
      expect(attempt({ cwd })).toThrow(unavailable("not visible"));
    }
  });

  it("names the caller's program and sorts the variables", () => {
    using place = playground();
    const command = {
      program: "/usr/bin/awk",
      realPath: "/usr/bin/mawk",
      args: ["--version"],
      cwd: place.workspace,
      environment: { B: "2", A: "1" },
    };
    const args = bubblewrapArguments(viewOf(place.authority), command, DEFAULT_CHILD_LIMITS);
    expect(args.slice(args.lastIndexOf("--"))).toEqual(["--", "/usr/bin/awk", "--version"]);
    expect(args.slice(args.indexOf("--"), args.indexOf("--") + 3)).toEqual(["--", "/usr/bin/prlimit", "--core=0"]);
    const { held, first } = heldBack(args);
    expect(held.slice(0, 8)).toEqual(["--unshare-user", "--clearenv", "--setenv", "A", "1", "--setenv", "B", "2"]);
    expect(first.slice(0, 4)).toEqual(["--unshare-all", "--disable-userns", "--die-with-parent", "--new-session"]);
  });

  it("holds back all variables, whatever their values are", () => {
    using place = playground();
    const environment = { A: "--setenv", B: "--unshare-all", C: "", D: "--" };
    const command = { program: "/usr/bin/awk", realPath: "/usr/bin/mawk", args: [], cwd: place.workspace, environment };
    const { held, first } = heldBack(bubblewrapArguments(viewOf(place.authority), command, DEFAULT_CHILD_LIMITS));
    expect(held).toHaveLength(4 + 3 * (Object.keys(environment).length + 2));
    expect(first[0]).toBe("--unshare-all");
  });
});
