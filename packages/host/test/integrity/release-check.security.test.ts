/** What lies beside the executable was put there by anybody. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type ReleaseManifest, VERSION } from "@femtoclaw/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileDigest } from "../../src/integrity/file-digest.ts";
import { checkRelease } from "../../src/integrity/release-check.ts";

const hex = (text: string): string => createHash("sha256").update(text).digest("hex");
const pem = (key: KeyObject): string => String(key.export({ type: "spki", format: "pem" }));
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const own = { key: pem(publicKey), assets: { "a.cjs": hex("a"), "b.wasm": hex("b") } };
const running = { sha256: hex("program"), bytes: 7, target: "linux-x64", node: "v26.10.0" };
const manifest: ReleaseManifest = {
  format: 1,
  name: "femtoclaw",
  version: VERSION,
  target: "linux-x64",
  node: "v26.10.0",
  binary: { sha256: hex("program"), bytes: 7 },
  assets: own.assets,
  schemas: {},
  machines: {},
  capabilities: {},
};

const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const signed = (bytes: Buffer, key = privateKey) => ({ manifest: bytes, signature: sign(null, bytes, key) });

describe("a release", () => {
  it("is verified when it fits and is signed, and only then", () => {
    const fits = text(manifest);
    expect(checkRelease(signed(fits), running, own).verdict).toBe("verified");
    expect(checkRelease({ manifest: fits, signature: null }, running, own).verdict).toBe("unverified");
    expect(checkRelease({ manifest: null, signature: null }, running, own).verdict).toBe("unverified");
    expect(checkRelease(signed(fits), running, { ...own, key: null }).verdict).toBe("unverified");
  });

  it.each<[string, unknown]>([
    ["another version", { ...manifest, version: "9.9.9" }],
    ["another target", { ...manifest, target: "linux-arm64" }],
    ["another Node.js", { ...manifest, node: "v26.10.1" }],
    ["another size", { ...manifest, binary: { ...manifest.binary, bytes: 8 } }],
    ["another digest", { ...manifest, binary: { ...manifest.binary, sha256: hex("other") } }],
    ["another part", { ...manifest, assets: { ...own.assets, "a.cjs": hex("other") } }],
    ["a part too few", { ...manifest, assets: { "a.cjs": hex("a") } }],
    ["a part too many", { ...manifest, assets: { ...own.assets, constructor: hex("c") } }],
    ["a format of the future", { ...manifest, format: 2 }],
    ["a field of the future", { ...manifest, more: true }],
    ["no object", []],
  ])("that names %s is refused, signed or not", (_, value) => {
    const bytes = text(value);
    expect(() => checkRelease(signed(bytes), running, own)).toThrow(/executable|manifest/);
    expect(() => checkRelease({ manifest: bytes, signature: null }, running, own)).toThrow(/executable|manifest/);
    expect(() => checkRelease(signed(bytes), running, { ...own, key: null })).toThrow(/executable|manifest/);
  });

  it("is refused where the signature is another one, or over other bytes", () => {
    const bytes = text(manifest);
    const { signature } = signed(bytes);
    const stranger = generateKeyPairSync("ed25519").privateKey;
    const flipped = Buffer.from(signature);
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    const signatures = [
      signed(bytes, stranger).signature,
      flipped,
      Buffer.alloc(64),
      Buffer.alloc(0),
      Buffer.concat([signature, Buffer.alloc(1)]),
      sign(null, Buffer.concat([bytes, Buffer.from("\n")]), privateKey),
    ];
    for (const other of signatures) {
      expect(() => checkRelease({ manifest: bytes, signature: other }, running, own)).toThrow(/not by the key/);
    }
    expect(() => checkRelease({ manifest: null, signature }, running, own)).toThrow(/is gone/);
    for (const content of ["", "{", "\xff\xfe", "null", `${"[".repeat(100_000)}`]) {
      const broken = Buffer.from(content, "latin1");
      expect(() => checkRelease(signed(broken), running, own)).toThrow(/manifest/);
    }
  });
});

describe("the digest of a file that was read before", () => {
  let folder = "";
  beforeEach(() => {
    folder = realpathSync(mkdtempSync("/tmp/fi-"));
    writeFileSync(join(folder, "program"), "program");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const program = (): string => join(folder, "program");
  const receipt = (): string => join(folder, "executable.json");

  it("is kept for the very same file, for this user alone", () => {
    const first = fileDigest(program(), folder);
    expect(first).toEqual({ sha256: hex("program"), bytes: 7 });
    expect(statSync(receipt()).mode & 0o777).toBe(0o600);
    const kept = JSON.parse(readFileSync(receipt(), "utf8")) as { file: string };
    // What is kept is believed, which shows that it was not read again.
    writeFileSync(receipt(), JSON.stringify({ ...kept, sha256: hex("kept") }));
    expect(fileDigest(program(), folder).sha256).toBe(hex("kept"));
    expect(fileDigest(program(), null).sha256).toBe(hex("program"));
  });

  it("is taken anew when the content changes, also with the size and the times of before", () => {
    const { atime, mtime } = statSync(program());
    fileDigest(program(), folder);
    writeFileSync(program(), "progra!");
    utimesSync(program(), atime, mtime);
    expect(fileDigest(program(), folder).sha256).toBe(hex("progra!"));
  });

  it.each([
    ["no JSON", "{"],
    ["nothing", "null"],
    ["a digest that is none", JSON.stringify({ file: "x", sha256: "y" })],
    ["a lie about another file", JSON.stringify({ file: "1 2 3 4 5", sha256: hex("lie") })],
  ])("is taken anew where what is kept is %s", (_, content) => {
    writeFileSync(receipt(), content);
    expect(fileDigest(program(), folder).sha256).toBe(hex("program"));
  });

  it("is kept in the place of what a killed process was writing, and beside what another one writes", () => {
    // No process has the first number: the kernel counts to 4194304 at most.
    const [left, written] = [join(folder, "executable.json.4194305"), join(folder, `executable.json.${process.ppid}`)];
    for (const path of [left, written]) writeFileSync(path, "{");
    for (const path of [left, written]) utimesSync(path, 1_000_000_000, 1_000_000_000);
    fileDigest(program(), folder);
    expect([left, written, receipt()].map((path) => existsSync(path))).toEqual([false, true, true]);
  });

  it("is taken where nothing can be kept, and never written through a link", () => {
    const victim = join(folder, "victim");
    writeFileSync(victim, "precious");
    symlinkSync(victim, receipt());
    expect(fileDigest(program(), folder).sha256).toBe(hex("program"));
    expect(readFileSync(victim, "utf8")).toBe("precious");
    chmodSync(folder, 0o500);
    expect(fileDigest(program(), join(folder, "nowhere")).sha256).toBe(hex("program"));
    chmodSync(folder, 0o700);
  });
});
