/**
 * A configuration of each earlier version, with every key that it had, and what that version itself made of it: it loads,
 * unchanged, and means the same. Later versions may have added to what is told, and have taken nothing away.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "@femtoclaw/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolveProject } from "../../src/configuration/load-configuration.ts";

const GOLDEN = join(import.meta.dirname, "golden");
const JOURNALS = join(import.meta.dirname, "../../../testing/golden");
const versions = readdirSync(GOLDEN).flatMap((name) =>
  name.endsWith(".toml") ? [name.slice(0, -".toml".length)] : [],
);

interface Meaning {
  readonly authority: { readonly floor: readonly string[] };
}

let root: string;
beforeAll(() => {
  root = realpathSync(mkdtempSync("/tmp/fg-"));
  for (const folder of ["work/out/kept", "work/secrets", "work/asked", "shared/asked", "shared/weather", "elsewhere"]) {
    mkdirSync(join(root, folder), { recursive: true, mode: 0o700 });
  }
  writeFileSync(join(root, "shared/notes.txt"), "");
  // Written and not copied with its modes, because a group may be able to change a clone.
  writeFileSync(join(root, "shared/weather/capability.json"), readFileSync(join(GOLDEN, "weather/capability.json")));
});
afterAll(() => rmSync(root, { recursive: true }));

function meaningOf(configuration: Uint8Array): Meaning {
  const project = { directory: root, path: join(root, "femtoclaw.toml"), configuration, policy: new Map(), sha256: "" };
  const environment = { HOME: join(root, "home"), LANG: "C" };
  const { resolved } = resolveProject(project, { cwd: root, environment });
  const plain = (_key: string, value: unknown): unknown => (value instanceof Map ? Object.fromEntries(value) : value);
  const text = JSON.stringify(resolved, plain).replaceAll(root, "@");
  // It was written down by root, whose number is in the name of the folder for sockets.
  return JSON.parse(text.replaceAll(`"/tmp/femtoclaw-${process.getuid?.()}"`, '"/tmp/femtoclaw-0"')) as Meaning;
}

test("there is one of every version that was released", () => {
  const released = readdirSync(JOURNALS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(versions.sort()).toEqual(
    released
      .map(({ name }) => name)
      .filter((name) => name !== VERSION)
      .sort(),
  );
});

describe.each(versions)("the configuration of %s", (version) => {
  const read = (suffix: string): Buffer => readFileSync(join(GOLDEN, `${version}.${suffix}`));

  test("means what it meant", () => {
    const { authority, ...meant } = JSON.parse(read("json").toString()) as Meaning;
    const { floor, ...granted } = authority;
    const means = meaningOf(read("toml"));
    expect(means).toMatchObject({ ...meant, authority: granted });
    // What no table can allow has only become more.
    expect(means.authority.floor).toEqual(expect.arrayContaining([...floor]));
  });

  test("means something else when a word of it is another one", () => {
    const { authority: _, ...meant } = JSON.parse(read("json").toString()) as Meaning;
    const changed = read("toml").toString().replace("concurrency = 3", "concurrency = 4");
    expect(meaningOf(Buffer.from(changed))).not.toMatchObject(meant);
  });
});
