/** A child that is handed its program sees that, the system, and nothing of this machine besides, whatever was granted. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_CHILD_LIMITS, ownProgramView, runSandboxed, viewOf } from "../src/index.ts";
import { grants, type Playground, playground, SECRET } from "./playground.ts";

const ENV = { environment: { TOKEN: SECRET }, environmentNames: ["TOKEN"] };

/** Everything that is asked for in one run, by a shell of the system, with two files in its hands. */
async function look(place: Playground, script: string): Promise<{ stdout: string; exitCode: number | null }> {
  const own = ownProgramView(viewOf(place.authority), [
    { path: "/femtoclaw/shell", from: "/bin/sh" },
    { path: "/femtoclaw/script", content: Buffer.from(script) },
    { path: "/femtoclaw/deep/er/data", content: Buffer.alloc(300_000, "d") },
  ]);
  const ran = await runSandboxed({
    view: own.view,
    handed: own.handed,
    command: {
      program: "/femtoclaw/shell",
      realPath: "/femtoclaw/shell",
      args: ["/femtoclaw/script"],
      cwd: own.cwd,
      environment: {},
    },
    limits: DEFAULT_CHILD_LIMITS,
    timeoutMs: 20_000,
    outputBytesMax: 1_000_000,
    signal: new AbortController().signal,
  });
  return { stdout: `${ran.stdout.toString()}${ran.stderr.toString()}`, exitCode: ran.exitCode };
}

test("it sees its own files whole, and no grant, secret, variable or descriptor of the host", async () => {
  using place = playground(({ root, workspace, out }) => ({
    ...ENV,
    allow: { read: grants(workspace, root), write: grants(out), run: [] },
    childRead: [root],
  }));
  const { root, workspace, out } = place;
  const { stdout } = await look(
    place,
    `wc -c < /femtoclaw/deep/er/data
for path in ${root} ${workspace}/readme ${out} ${root}/state/journal /root /home; do [ -e "$path" ] && echo "seen $path"; done
env
ls /proc/self/fd | wc -l
ls /`,
  );
  const [bytes, ...lines] = stdout.trim().split("\n");
  expect(Number(bytes)).toBe(300_000);
  expect(stdout).not.toContain(SECRET);
  expect(stdout).not.toContain("seen");
  expect(lines).toContain("femtoclaw");
  expect(lines.join(" ")).not.toMatch(/work|root\b|home/);
});

test("it changes none of its files, and makes no other beside them", async () => {
  using place = playground();
  const before = readFileSync("/bin/sh");
  const { stdout } = await look(
    place,
    `for path in shell script deep/er/data new deep/new; do echo x > /femtoclaw/$path && echo "wrote $path"; done
rm /femtoclaw/script && echo removed
mv /femtoclaw/deep /femtoclaw/other && echo moved
chmod 0777 /femtoclaw/script && echo chmodded
echo still there`,
  );
  expect(stdout).not.toMatch(/^(?:wrote|removed|moved|chmodded)/m);
  expect(stdout).toContain("still there");
  expect(readFileSync("/bin/sh").equals(before)).toBe(true);
});

test("what is denied of the system is denied to it, too", async () => {
  using place = playground(() => ({ deny: { read: grants("/usr/share/misc"), write: [], run: [] } }));
  const { stdout } = await look(place, 'ls /usr/share/misc; echo "then $?"');
  expect(stdout.trim()).toBe("then 0");
});
