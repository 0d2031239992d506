/** What lies beside an executable, in its way or in the library may have been put there by anybody. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { ERRORS, EXIT } from "@femtoclaw/protocol";
import { machineDigests } from "@femtoclaw/runtime/deployment";
import { HAS_SMALL_DISK, SmallDisk } from "@femtoclaw/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { examineInstallation } from "../../src/installation/examine.ts";
import { makeGround, sweepGround } from "../../src/installation/ground.ts";
import { carryOut, install, removeFiles, undoCutOff } from "../../src/installation/install.ts";
import { installedBy, planInstallation } from "../../src/installation/install-plan.ts";
import { type Layout, layoutOf } from "../../src/installation/layout.ts";
import { type InForce, Library } from "../../src/installation/library.ts";
import { ownInstallation } from "../../src/installation/own-installation.ts";
import { readReceipt } from "../../src/installation/receipt.ts";
import { copyExecutable, isOlder, openRelease, readPublicKey } from "../../src/installation/release.ts";
import { unitText } from "../../src/installation/service-unit.ts";
import { refuseChanged } from "../../src/installation/uninstall.ts";
import { nextRelease } from "../../src/installation/upgrade.ts";
import { newSigner, release } from "./stand-in.ts";

const [signer, stranger] = [newSigner(), newSigner()];
const environment = { HOME: "/nonexistent" };
let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync("/tmp/fs-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const published = (version = "1.0.0", says = {}, by = signer): string =>
  release(join(root, "r"), { version, signer: by, script: "#!/bin/sh\n", says });
const layout = (): Layout => layoutOf("user", join(root, "i"), environment);
const planned = () => planInstallation({ layout: layout(), owner: null, service: true, environment, installed: [] });

function installed(file = published()): InForce {
  const library = new Library(layout().library);
  planned();
  makeGround(layout());
  using _ = library.lock();
  const parts = { plan: planned(), ground: undoCutOff(library), key: signer.pem };
  install(library, { ...parts, release: openRelease(file, signer.pem) });
  const current = library.inForce();
  if (current === null) throw new Error("nothing is installed");
  return current;
}

describe("a release", () => {
  it("counts with a signature by the pinned key over exactly its manifest", () => {
    const file = published();
    expect(openRelease(file, signer.pem)).toMatchObject({ version: "1.0.0", machines: machineDigests() });
    expect(() => openRelease(file, stranger.pem)).toThrow(/not by the key/);
    expect(() => openRelease(published("1.0.0", {}, stranger), signer.pem)).toThrow(/not by the key/);
    appendFileSync(`${published()}.manifest.json`, "\n");
    expect(() => openRelease(file, signer.pem)).toThrow(/not by the key/);
    rmSync(`${published()}.manifest.sig`);
    expect(() => openRelease(file, signer.pem)).toThrow(/not signed: there is no/);
    rmSync(`${published()}.manifest.json`);
    expect(() => openRelease(file, signer.pem)).toThrow(/not signed: there is no/);
    execFileSync("mkfifo", [`${file}.manifest.json`]);
    expect(() => openRelease(file, signer.pem)).toThrow(/FEMTO_INTEGRITY_FAILED|no file of a usual size/);
    rmSync(file);
    expect(() => openRelease(file, signer.pem)).toThrow(/^there is no/);
  });

  it.each([
    ["another machine", { target: "linux-riscv64" }, /for linux-riscv64/],
    ["a version that is a path", { version: "../../../etc" }, /no manifest/],
    ["no version", { version: null }, /no manifest/],
    ["another program", { name: "other" }, /no manifest/],
    ["a format of the future", { format: 2 }, /no manifest/],
    ["a digest that is none", { binary: { sha256: "x", bytes: 1 } }, /no manifest/],
    ["no size", { binary: { sha256: "0".repeat(64), bytes: 1.5 } }, /no manifest/],
  ])("that is signed and names %s is refused", (_, says, reason) => {
    expect(() => openRelease(published("1.0.0", says), signer.pem)).toThrow(reason);
  });

  it("of a later version may say more than this one knows", () => {
    expect(openRelease(published("9.0.0", { more: [] }), signer.pem).version).toBe("9.0.0");
  });

  it("is copied as what its manifest says, or not at all", () => {
    const file = published();
    const said = openRelease(file, signer.pem);
    const copy = (to: string) => () => copyExecutable(said, join(root, to));
    copy("a")();
    expect(readFileSync(join(root, "a"))).toEqual(readFileSync(file));
    expect(copy("a")).toThrow(/EEXIST/);
    const program = readFileSync(file);
    program[4] = 0;
    writeFileSync(file, program);
    expect(copy("b")).toThrow(/SHA-256/);
    appendFileSync(file, "more");
    expect(copy("c")).toThrow(/size/);
    truncateSync(file, 3);
    expect(copy("d")).toThrow(/size/);
    rmSync(file);
    execFileSync("mkfifo", [file]);
    expect(copy("e")).toThrow(/not a file/);
  });

  it("has a key that is one", () => {
    const key = join(root, "key");
    for (const text of ["", "no key", signer.pem.replace("MCow", "AAAA")]) {
      writeFileSync(key, text);
      expect(() => readPublicKey(key)).toThrow(/no public key/);
    }
    expect(() => readPublicKey(join(root, "missing"))).toThrow(/ENOENT/);
  });

  it("is older by its numbers and not by their spelling", () => {
    expect([isOlder("1.9.0", "1.10.0"), isOlder("1.10.0", "1.9.0"), isOlder("2.0.0", "2.0.0")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("what may follow", () => {
  it("is nothing that is older, or that has lost a machine which records name", () => {
    const current = installed();
    const next = (file: string, allowDowngrade = false) => nextRelease(current, { file, allowDowngrade });
    expect(next(published("1.0.1"))?.version).toBe("1.0.1");
    expect(next(published())).toBeNull();
    expect(() => next(published("0.9.9"))).toThrow(/older than 1\.0\.0/);
    expect(next(published("0.9.9"), true)?.version).toBe("0.9.9");
    const { "execution@2": _, ...machines } = machineDigests();
    expect(() => next(published("1.1.0", { machines }))).toThrow(/does not know execution@2/);
    const other = { ...machineDigests(), "execution@2": "0".repeat(64) };
    expect(() => next(published("1.1.0", { machines: other }))).toThrow(/does not know execution@2/);
    expect(() => next(published("1.1.0", {}, stranger))).toThrow(/not by the key/);
  });
});

describe("what is in the way of an installation", () => {
  it.each<[string, () => void, RegExp]>([
    ["another command", () => writeFileSync(folder("i/bin", "femtoclaw"), ""), /bin\/femtoclaw is there already/],
    ["a link to another command", () => symlinkSync("/bin/sh", folder("i/bin", "femtoclaw")), /there already/],
    ["a link to nowhere", () => symlinkSync("/nonexistent", folder("i/bin", "femtoclaw")), /there already/],
    ["another unit", () => writeFileSync(folder("i/lib/systemd/user", "femtoclaw.service"), ""), /there already/],
    [
      "a configuration that is a link",
      () => symlinkSync("/dev/null", folder("i/etc/femtoclaw", "femtoclaw.toml")),
      /link/,
    ],
    [
      "a configuration that says nothing right",
      () => writeFileSync(folder("i/etc/femtoclaw", "femtoclaw.toml"), "a"),
      /./,
    ],
    [
      "a folder that others may write to",
      () => chmodSync(join(folder("i/lib", "x"), ".."), 0o777),
      /changed by others/,
    ],
  ])("%s stays what it is, and nothing is made", (_, make, reason) => {
    make();
    const before = everything();
    expect(() => installed()).toThrow(reason);
    expect(everything()).toEqual(before);
  });

  it("is not a configuration that was written before: its service has the folders that the unit names all the same", () => {
    writeFileSync(folder("i/etc/femtoclaw", "femtoclaw.toml"), `workspace = "${root}"\n`, { mode: 0o644 });
    const owner = { name: "femtoclaw", uid: 999, gid: 998 };
    const made = (of: typeof owner | null): readonly string[] => {
      const options = { layout: layout(), owner: of, service: true, environment, installed: [] };
      const { steps } = planInstallation(options);
      return steps.flatMap((step) => (step.kind === "folder" && step.owner === of ? [step.path] : []));
    };
    const data = ["home", "workspace", "state", "run"].map((name) => join(layout().data, name));
    expect(made(owner)).toEqual(data);
    expect(made(null).filter((path) => data.includes(path))).toEqual([]);
  });

  it("is a path that a unit file or a configuration would read as more than a path", () => {
    for (const name of ["a%b", "a$b", 'a"b', "a\nb", "a\\b", "a'b"]) {
      expect(() => layoutOf("user", join(root, name), environment)).toThrow(/character/);
    }
    const { unit } = layoutOf("user", join(root, "with space"), environment);
    expect(unit).toContain("with space");
  });

  const folder = (path: string, name: string): string => {
    mkdirSync(join(root, path), { recursive: true, mode: 0o755 });
    return join(root, path, name);
  };
  const everything = (): string[] =>
    String(execFileSync("find", [root, "-mindepth", "1", "-printf", "%P\\n"]))
      .split("\n")
      .filter((path) => path !== "" && !path.startsWith("r"))
      .sort();
});

describe("a library that somebody tampered with", () => {
  const at = (name: string): string => join(layout().library, name);

  it("is in force by no link but one to a deployment of its own", () => {
    installed();
    for (const target of ["../../..", "/etc", "deployments", "deployments/../../x", "deployments/9-9.9.9"]) {
      rmSync(at("current"));
      symlinkSync(target, at("current"));
      expect(() => new Library(layout().library).inForce()).toThrow(/leads to no deployment/);
    }
  });

  it("has no receipt that others could have written, or that says nothing", () => {
    const { name } = installed();
    const receipt = at(`deployments/${name}/receipt.json`);
    const text = readFileSync(receipt, "utf8");
    for (const said of ["", "{}", "null", text.replace('"format": 1', '"format": 2'), text.replace('"/', '"')]) {
      writeFileSync(receipt, said);
      expect(() => readReceipt(at(`deployments/${name}`))).toThrow(/damaged/);
    }
    writeFileSync(receipt, text);
    chmodSync(receipt, 0o666);
    expect(() => readReceipt(at(`deployments/${name}`))).toThrow(/changed by others/);
    chmodSync(receipt, 0o644);
    chmodSync(layout().library, 0o777);
    expect(() => new Library(layout().library).lock()).toThrow(/changed by others/);
  });

  it.each([
    '{"doing":"change","from":"../..","to":"2-1.0.0","host":"stopped"}',
    '{"doing":"change","from":"1-1.0.0","to":"2-1.0.0","host":"maybe"}',
    '{"doing":"install","files":[{"kind":"file","path":"etc"}]}',
    '{"doing":"install","files":[{"kind":"socket","path":"/etc"}]}',
    "",
  ])("has nothing under way that is no change of its own: %s", (text) => {
    installed();
    writeFileSync(at("pending.json"), text);
    expect(() => new Library(layout().library).pending()).toThrow(/damaged/);
  });

  it("is changed by one process at a time, and its lock is nobody else's to hold", () => {
    installed();
    const library = new Library(layout().library);
    {
      using _ = library.lock();
      expect(() => library.lock()).toThrow(/another process/);
      expect(String(execFileSync("stat", ["-c", "%a", at("installation.lock")]))).toBe("600\n");
    }
    library.lock()[Symbol.dispose]();
  });
});

describe("an installation that was cut off", () => {
  it("is taken away with what was on its way to its name, and nothing that was there before", () => {
    makeGround(layout());
    const library = new Library(layout().library);
    const { steps } = planned();
    library.begin({ doing: "install", files: steps.map(installedBy) });
    for (const step of steps.slice(0, -1)) carryOut(step);
    const { configuration, unit } = layout();
    const half = join(configuration, ".femtoclaw.toml.0b7c5a52-1111-4222-8333-444455556666");
    writeFileSync(half, "works");
    writeFileSync(join(configuration, ".femtoclaw.toml.mine"), "");
    undoCutOff(library);
    expect([existsSync(half), existsSync(unit), library.pending()]).toEqual([false, false, null]);
    expect(readdirSync(configuration)).toEqual([".femtoclaw.toml.mine"]);
    expect(installed().receipt.version).toBe("1.0.0");
  });
});

describe("what lies beside the way to a library, hidden as what a killed installation left", () => {
  const name = (of: string, last: string): string => join(root, `.${of}.0b7c5a52-1111-4222-8333-44445555666${last}`);
  const library = (): Library => new Library(layout().library);

  it.runIf(process.getuid?.() === 0)("stays where it is somebody else's, or leads elsewhere", () => {
    const victim = join(root, "victim");
    mkdirSync(victim);
    writeFileSync(join(victim, "kept"), "");
    mkdirSync(name("i", "1"));
    chownSync(name("i", "1"), 65_534, 65_534);
    symlinkSync(victim, name("i", "2"));
    writeFileSync(name("i", "3"), "");
    mkdirSync(`${name("i", "4")}x`);
    expect(sweepGround(library())).toEqual([]);
    expect(readdirSync(root)).toHaveLength(5);
    expect(readdirSync(victim)).toEqual(["kept"]);
  });

  it("goes, and with it no folder but those on the way", () => {
    mkdirSync(join(root, "i/lib"), { recursive: true });
    mkdirSync(join(root, "empty"));
    mkdirSync(name("i", "1"));
    const folders = ["i", "i/lib", "empty"].map((path) => ({ kind: "folder" as const, path: join(root, path) }));
    new Library(name("i", "1")).begin({ doing: "install", files: folders });
    mkdirSync(name("i", "2"));
    expect(sweepGround(library())).toEqual([join(root, "i/lib"), join(root, "i")]);
    expect(readdirSync(root)).toEqual(["empty"]);
  });

  it("is named and stays if its note is damaged, which no killed process leaves", () => {
    mkdirSync(name("i", "1"));
    writeFileSync(join(name("i", "1"), "pending.json"), "{");
    const damaged = { code: "FEMTO_INSTALL_REFUSED", message: expect.stringMatching(/pending\.json is damaged$/) };
    for (const _ of ["once", "and again"]) {
      expect(() => sweepGround(library())).toThrow(expect.objectContaining(damaged));
      const [left = ""] = readdirSync(root);
      expect(readdirSync(join(root, left))).toEqual(["pending.json"]);
    }
  });
});

describe("a full disk", () => {
  it.runIf(HAS_SMALL_DISK)("leaves none of an installation, or what was in force, and the next command goes on", () => {
    using disk = new SmallDisk(1_048_576);
    const own = root;
    root = disk.path;
    try {
      const [file, next] = [published(), published("1.1.0")];
      disk.fill();
      expect(() => installed(file)).toThrow(/ENOSPC/);
      expect(new Library(layout().library).inForce()).toBeNull();
      disk.clear();
      undoCutOff(new Library(layout().library));
      const current = installed(file);
      disk.fill();
      const library = new Library(layout().library);
      const release = openRelease(next, signer.pem);
      expect(() => library.stage("2-1.1.0", { release }, current.receipt)).toThrow(/ENOSPC/);
      expect(library.inForce()).toMatchObject({ name: current.name });
      library.finish();
      expect(readdirSync(join(layout().library, "deployments"))).toEqual([current.name]);
    } finally {
      root = own;
    }
  });
});

describe("taking away", () => {
  it("touches no file that is another one by now, and follows no link", () => {
    const { receipt } = installed();
    const configuration = join(layout().configuration, "femtoclaw.toml");
    const victim = join(root, "victim");
    writeFileSync(victim, readFileSync(configuration));
    rmSync(configuration);
    symlinkSync(victim, configuration);
    const current = { name: "", receipt, sha256: "" };
    expect(() => refuseChanged(current, { changed: false, state: false })).toThrow(/femtoclaw.toml was changed/);
    removeFiles(receipt.files);
    expect(existsSync(configuration)).toBe(true);
    removeFiles(receipt.files, true);
    expect([existsSync(configuration), existsSync(victim)]).toEqual([false, true]);
  });
});

describe("a host that was installed", () => {
  it("is told by its doctor what is not as it was installed", () => {
    const { name, receipt } = installed();
    const library = new Library(layout().library);
    const program = library.program(name);
    expect(examineInstallation(program)).toContain("1.0.0 for this user");
    for (const path of [program, dirname(program), dirname(dirname(program)), layout().library]) {
      chmodSync(path, 0o775);
      expect(() => examineInstallation(program)).toThrow(`${path} can be changed by others (mode 775)`);
      chmodSync(path, 0o755);
    }
    // Configurations are there to be changed.
    appendFileSync(receipt.configuration, "# mine\n");
    expect(examineInstallation(program)).toContain("1.0.0");
    library.begin({ doing: "change", from: name, to: "2-1.1.0", host: "stopped" });
    expect(() => examineInstallation(program)).toThrow(/cut off/);
    library.finish();
    appendFileSync(receipt.unit ?? "", "\n");
    expect(() => examineInstallation(program)).toThrow(/was changed/);
    rmSync(receipt.unit ?? "");
    expect(() => examineInstallation(program)).toThrow(/is missing/);
  });

  it("keeps the unit that an earlier version wrote, and no other one", () => {
    const { receipt } = installed();
    const unit = String(receipt.unit);
    appendFileSync(unit, "# of an earlier version\n");
    const content = readFileSync(unit, "utf8");
    const files = [installedBy({ kind: "file", path: unit, mode: 0o644, content })];
    const options = { layout: layout(), owner: null, service: true, environment };
    expect(planInstallation({ ...options, installed: files }).steps.filter(({ kind }) => kind === "file")).toEqual([]);
    expect(() => planInstallation({ ...options, installed: [] })).toThrow(/is another one/);
  });

  it("knows the changes that no record tells, until they are recorded", async () => {
    const { receipt, sha256 } = installed();
    const program = realpathSync(join(layout().library, "current/femtoclaw"));
    const state = join(root, "state");
    const first = ownInstallation(state, program);
    expect(first.options.installation).toMatchObject({ version: "1.0.0", scope: "user", receipt: sha256 });
    expect(first.options.deploymentChanges).toEqual(receipt.changes);
    expect(ownInstallation(state, program).options.deploymentChanges).toHaveLength(1);
    await first.recorded();
    expect(ownInstallation(state, program).options.deploymentChanges).toEqual([]);
    expect(ownInstallation(state, process.execPath).options).toEqual({});
  });

  it("gets no unit that would keep its sandbox from working", () => {
    const owner = { name: "femtoclaw", uid: 999, gid: 999 };
    const parts = { program: "/p", configuration: "/c d/f.toml", owner };
    const unit = unitText({ layout: layoutOf("system", null, environment), ...parts });
    expect(unit).toContain('ExecStart=/p --config "/c d/f.toml" up\n');
    expect(unit).toContain('ExecReload=/p --config "/c d/f.toml" reload\n');
    expect(unit).toContain("RestartPreventExitStatus=78\n");
    // What is missing for a moment does not keep it from being started again, however often that was tried.
    expect(ERRORS.FEMTO_SURROUNDINGS.exit).toBe(EXIT.unavailable);
    expect(unit).not.toContain("StartLimit");
    expect(Number(/^RestartSec=(\d+)$/m.exec(unit)?.[1]) * 4).toBeGreaterThan(10);
    expect(unit).toContain("RestrictNamespaces=user pid mnt net ipc uts cgroup\n");
    const never =
      /ProtectKernelTunables|ProtectKernelLogs|ProtectProc|ProcSubset|MemoryDenyWriteExecute|PrivateUsers|RestrictSUIDSGID|=~/;
    expect(unit).not.toMatch(never);
    expect(unit).toContain("User=femtoclaw\n");
    expect(unit).toContain("NoNewPrivileges=yes\n");
    expect(unit).toContain("Delegate=yes\n");
    expect(unit).toContain("Type=notify\nNotifyAccess=main\nWatchdogSec=60\n");
  });
});
