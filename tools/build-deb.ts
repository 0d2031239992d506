/**
 * Puts a built executable into a Debian package. The package has no scripts, which an installation would run as root, but
 * only files, owners, modes and dependencies.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { releaseFiles } from "../packages/host/src/integrity/release-files.ts";
import { VERSION } from "../packages/protocol/src/version.ts";
import { ROOT } from "./binary/locked-file.ts";
import { toolWords } from "./tool-words.ts";

/** A fixed time, so that each build gives the same package; Debian accepts none before its own first release. */
const BUILT_AT = "946684800";
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
/** The libraries that Node.js is linked with, and the program that confines others. */
const DEPENDS = "libc6 (>= 2.28), libstdc++6 (>= 6), libgcc-s1, libatomic1, bubblewrap (>= 0.8)";

const { values, refuse } = toolWords({
  name: "build:deb",
  purpose: "Puts a built executable into a package for Debian.",
  options: {
    binary: [
      "file",
      `executable, instead of dist/femtoclaw-linux-${process.arch}; what was built with it lies beside it`,
    ],
    out: ["dir", "folder that the package is written to, instead of dist"],
  },
});
const from = process.env["INIT_CWD"] ?? process.cwd();
const binary =
  values.binary === undefined ? join(ROOT, `dist/femtoclaw-linux-${process.arch}`) : resolve(from, values.binary);
const out = values.out === undefined ? join(ROOT, "dist") : resolve(from, values.out);
const target = /-linux-([a-z0-9]+)$/.exec(binary)?.[1] ?? "";
const architecture = ARCHITECTURES[target];
if (architecture === undefined) refuse(`${binary} is not named after a Linux that there is a package for`);

const needed = [binary, releaseFiles(binary).manifest, `${binary}.licenses.txt`, `${binary}.cdx.json`];
const missing = needed.find((file) => !existsSync(file));
if (missing !== undefined) refuse(`${basename(missing)} is missing: run \`npm run build:binary\` first`);

// The package has the same modes whoever builds it.
process.umask(0o022);
const root = mkdtempSync(join(tmpdir(), "femtoclaw-deb-"));
// Unpacking gives this mode to the folder into which somebody unpacks, perhaps to `/`.
chmodSync(root, 0o755);
try {
  fill();
  mkdirSync(out, { recursive: true });
  const file = join(out, `femtoclaw_${VERSION}_${architecture}.deb`);
  const environment = { ...process.env, SOURCE_DATE_EPOCH: BUILT_AT };
  const options = ["--root-owner-group", "-Zgzip", "--build"];
  execFileSync("dpkg-deb", [...options, root, file], { env: environment, stdio: ["ignore", "ignore", "inherit"] });
  console.log(file);
} finally {
  rmSync(root, { recursive: true, force: true });
}

function fill(): void {
  const program = "usr/lib/femtoclaw/femtoclaw";
  const { manifest, signature } = releaseFiles(binary);
  const beside = releaseFiles(program);
  put(binary, program, 0o755);
  put(manifest, beside.manifest);
  // Without a signature the executable reports that it is not verified.
  if (existsSync(signature)) put(signature, beside.signature);
  mkdirSync(join(root, "usr/bin"), { recursive: true });
  symlinkSync("../lib/femtoclaw/femtoclaw", join(root, "usr/bin/femtoclaw"));
  const licences = readFileSync(`${binary}.licenses.txt`, "utf8");
  text("usr/share/doc/femtoclaw/copyright", `${readFileSync(join(ROOT, "LICENSE"), "utf8")}\n${licences}`);
  put(`${binary}.cdx.json`, "usr/share/doc/femtoclaw/femtoclaw.cdx.json");
  text("DEBIAN/control", control());
}

function control(): string {
  const fields = {
    Package: "femtoclaw",
    Version: VERSION,
    Architecture: architecture,
    Maintainer: "FemtoClaw maintainers",
    Depends: DEPENDS,
    "Installed-Size": String(kibibytesIn(root)),
    Section: "admin",
    Priority: "optional",
    Description: "execution authority between an agent and the operating system",
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  const more =
    " The agent proposes; FemtoClaw decides by a policy that denies by default, runs\n programs in a sandbox, and writes each step to a journal.\n";
  return `${lines.join("")}${more}`;
}

/** As Debian counts: each file rounded up, and one for each folder and link. */
function kibibytesIn(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.reduce(
    (sum, entry) => sum + (entry.isFile() ? Math.ceil(statSync(join(entry.parentPath, entry.name)).size / 1024) : 1),
    1,
  );
}

function put(file: string, path: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  copyFileSync(file, join(root, path));
  chmodSync(join(root, path), mode);
}

function text(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content, { mode: 0o644 });
}
