/** Attacks on the file of an operator's key: modes, links, other kinds of files, other owners, and files in its place. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { operatorSigner } from "@femtoclaw/journal";
import { expect, it, onTestFinished } from "vitest";
import { writeNew } from "../../src/new-file.ts";
import { unlockOperatorKey, writeOperatorKey } from "../../src/operators/key-file.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "femtoclaw-operator-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const unusable = { code: "FEMTO_OPERATOR_KEY" };

it("is of its owner alone, holds the key that was printed, and is never written over", async () => {
  const file = join(folder(), "alice.pem");
  const vkey = await writeOperatorKey(file, "alice", false);
  expect(statSync(file).mode & 0o7777).toBe(0o600);
  expect(operatorSigner(await unlockOperatorKey(file), [vkey])?.name).toBe("alice");
  const before = readFileSync(file);
  await expect(writeOperatorKey(file, "alice", false)).rejects.toMatchObject({ code: "FEMTO_EXPORT_FAILED" });
  expect(readFileSync(file).equals(before)).toBe(true);
});

it("is not made behind a link, nor under a name that records could not hold", async () => {
  const root = folder();
  symlinkSync(join(root, "elsewhere"), join(root, "link"));
  await expect(writeOperatorKey(join(root, "link"), "alice", false)).rejects.toMatchObject({
    code: "FEMTO_EXPORT_FAILED",
  });
  await expect(writeNew(join(root, "link"), "answer")).rejects.toMatchObject({ code: "FEMTO_EXPORT_FAILED" });
  expect(existsSync(join(root, "elsewhere"))).toBe(false);
  for (const name of ["", "a b", "a+b", "a\nb", "é", "-a", "a".repeat(65)]) {
    await expect(writeOperatorKey(join(root, "key"), name, false)).rejects.toMatchObject({ code: "FEMTO_USAGE" });
  }
  expect(existsSync(join(root, "key"))).toBe(false);
});

it("is not used once others could have read or written it", async () => {
  const file = join(folder(), "alice.pem");
  await writeOperatorKey(file, "alice", false);
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601]) {
    chmodSync(file, mode);
    await expect(unlockOperatorKey(file)).rejects.toMatchObject({
      ...unusable,
      fix: expect.stringContaining("chmod 600"),
    });
  }
  chmodSync(file, 0o600);
  expect((await unlockOperatorKey(file)).type).toBe("private");
  // Only root can give a file away; elsewhere the other owner is tested with the state directory.
  if (process.getuid?.() !== 0) return;
  chownSync(file, 12_345, 0);
  await expect(unlockOperatorKey(file)).rejects.toMatchObject({
    ...unusable,
    message: expect.stringContaining("belongs to user"),
  });
});

it("is a file that holds an Ed25519 key, and nothing else in its place", async () => {
  const root = folder();
  const real = join(root, "alice.pem");
  await writeOperatorKey(real, "alice", false);
  symlinkSync(real, join(root, "link"));
  mkdirSync(join(root, "folder"), { mode: 0o700 });
  execFileSync("mkfifo", ["-m", "600", join(root, "pipe")]);
  writeFileSync(join(root, "text"), "no key", { mode: 0o600 });
  writeFileSync(join(root, "large"), `${readFileSync(real, "utf8").replace("\n", `\n${"A".repeat(100_000)}`)}`, {
    mode: 0o600,
  });
  const rsa = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", join(root, "rsa")];
  execFileSync("openssl", rsa, { stdio: "ignore" });
  for (const name of ["link", "folder", "pipe", "text", "large", "rsa", "missing"]) {
    await expect(unlockOperatorKey(join(root, name)), name).rejects.toMatchObject(unusable);
  }
  expect((await unlockOperatorKey(real)).asymmetricKeyType).toBe("ed25519");
});
