/**
 * `npm run machine -- [bookworm] [trixie]`: emulates a machine as users have it, with Debian's kernel, systemd and control
 * groups of version 2, and drives the executable there: as a service of the machine and of a user, bounded, reloaded,
 * killed, upgraded, and switched off. Neither a virtualised processor nor a network is needed once an image was made.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { errorText, VERSION } from "@femtoclaw/protocol";
import { type Check, checked } from "../../agents/check.ts";
import { asVersion, build, makeKey, sign } from "../build.ts";
import { Guest } from "./guest.ts";
import { diskOf, imageOf, PACKAGES, RELEASES, type Release } from "./image.ts";
import { type Machine, storyOf } from "./story.ts";

const ROOT = join(import.meta.dirname, "../../../../..");
/** Two executables, their manifests and the package. */
const BROUGHT_BYTES = 600 * 1024 ** 2;

async function main(): Promise<number> {
  const asked = process.argv.slice(2);
  const releases = RELEASES.filter((release) => asked.length === 0 || asked.includes(release));
  if (asked.some((name) => !RELEASES.includes(name as Release))) throw new Error(`known are ${RELEASES.join(" and ")}`);
  for (const program of ["qemu-system-x86_64", "mmdebstrap"]) {
    await promisify(execFile)(program, ["--version"]).catch(() => {
      throw new Error(`this needs an emulator and what makes its disk: apt-get install ${PACKAGES}`);
    });
  }
  const root = realpathSync(mkdtempSync("/tmp/fm-"));
  using stack = new DisposableStack();
  stack.defer(() => rmSync(root, { recursive: true, force: true }));
  const brought = await bring(root);
  const checks: Check[] = [];
  for (const release of releases) checks.push(...(await drive(release, root, brought)));
  const failed = checks.filter(({ fault }) => fault !== null).length;
  process.stdout.write(`${checks.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

/** A disk with what is driven. */
async function bring(root: string): Promise<string> {
  const folder = join(root, "dist");
  const built = await build(folder, await makeKey(root, "release.key"));
  await sign(built);
  const next = VERSION.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
  await asVersion(built, next, join(folder, "next"));
  const options = ["--binary", built.program, "--out", folder];
  execFileSync(process.execPath, [join(ROOT, "tools/build-deb.ts"), ...options], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const disk = join(root, "brought");
  await diskOf(folder, disk, BROUGHT_BYTES, "brought");
  return disk;
}

async function drive(release: Release, root: string, brought: string): Promise<Check[]> {
  const image = await imageOf(release);
  const folder = join(root, release);
  mkdirSync(folder);
  const disk = join(folder, "disk");
  execFileSync("cp", ["--sparse=always", image.disk, disk]);
  const start = (): Promise<Guest> => Guest.start(image, [disk, brought], folder);
  const again = async (): Promise<Guest> => {
    // What is asked last is not answered any more.
    machine.guest.run("systemctl poweroff").catch(() => undefined);
    await machine.guest.off();
    return await start();
  };
  const machine: Machine = { guest: await start(), release, again };
  try {
    const checks = await checked(storyOf(machine), ({ name, fault }) => {
      const told =
        fault === null ? `ok    ${release}: ${name}` : `FAIL  ${release}: ${name}\n${fault.replace(/^/gm, "      ")}`;
      process.stdout.write(`${told}\n`);
    });
    return checks;
  } finally {
    await machine.guest[Symbol.asyncDispose]();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 1;
}
