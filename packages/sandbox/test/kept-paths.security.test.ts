/** What is kept from a child is replaced by somebody outside while it runs, so that the mount over it is gone. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Authority } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { AgentChild, DEFAULT_CHILD_LIMITS, NO_SETTINGS, ServiceChild, viewOf } from "../src/index.ts";
import { grants, type Playground, playground, programOf, run } from "./playground.ts";

/** As an editor saves a file. */
function replace({ workspace }: Playground, name: string): void {
  const path = join(workspace, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, "new");
  renameSync(`${path}.new`, path);
}

function moveAside({ workspace }: Playground, name: string): void {
  renameSync(join(workspace, name), join(workspace, "aside"));
}

/** The very file lies at its path again, and what covered it has gone with the folder. */
function putIntoAnother(place: Playground, name: string): void {
  const { workspace } = place;
  const folder = dirname(name);
  moveAside(place, folder);
  mkdirSync(join(workspace, folder));
  linkSync(join(workspace, "aside", basename(name)), join(workspace, name));
}

function makeAnew({ workspace }: Playground, name: string): void {
  rmSync(join(workspace, name));
  writeFileSync(join(workspace, name), "new");
}

const writable = ({ workspace }: { workspace: string }): Partial<Authority> => ({
  allow: { read: grants(workspace), write: grants(workspace), run: [] },
});
const denied =
  (name: string, all: (at: { workspace: string }) => Partial<Authority> = () => ({})) =>
  (at: { workspace: string }): Partial<Authority> => ({
    ...all(at),
    deny: { read: grants(join(at.workspace, name)), write: [], run: [] },
  });
const notWritten =
  (of: "ask" | "deny") =>
  (at: { workspace: string }): Partial<Authority> => ({
    ...writable(at),
    [of]: { read: [], write: grants(join(at.workspace, "readme")), run: [] },
  });

type Change = (place: Playground, name: string) => void;

function prepared(authority: (at: { workspace: string }) => Partial<Authority>): Playground {
  const place = playground(authority);
  writeFileSync(join(place.workspace, ".git/config"), "old");
  return place;
}

/** Runs until something ends it. */
async function endedBy(
  authority: (at: { workspace: string }) => Partial<Authority>,
  change: (place: Playground) => void,
): Promise<unknown> {
  using place = prepared(authority);
  let hasRun = false;
  const onOutput = (): void => {
    if (!hasRun) change(place);
    hasRun = true;
  };
  const words = ["sh", "-c", "echo runs; sleep 1; echo done"];
  const ran = await run(place, words, { onOutput }).catch((error: unknown) => error);
  expect(hasRun).toBe(true);
  const reason = String(Object(ran).message ?? "").replace(`${place.workspace}/`, "");
  return Object(ran).code === undefined ? Object(ran).exitCode : [Object(ran).code, reason.split(",")[0]];
}

describe("a child ends when what is kept from it is replaced", () => {
  it.each<[string, (at: { workspace: string }) => Partial<Authority>, Change, string]>([
    ["a denied file where it only reads", denied("deep/er/secret"), replace, "deep/er/secret"],
    ["a denied file where it may write", denied("deep/er/secret", writable), replace, "deep/er/secret"],
    ["a denied file that is made anew", denied("secrets/key", writable), makeAnew, "secrets/key"],
    ["a denied file that was not there", denied("later"), replace, "later"],
    ["a file that it may not write to", notWritten("deny"), replace, "readme"],
    ["a file that it may write to after a yes", notWritten("ask"), replace, "readme"],
    ["what git executes", writable, replace, ".git/config"],
    ["what git executes, by a move of its folder", writable, (place) => moveAside(place, ".git"), ".git"],
    ["a denied file that lies in another folder by now", denied("secrets/key"), putIntoAnother, "secrets/key"],
    ["a denied folder that is moved aside", denied("secrets"), moveAside, "secrets"],
    [
      "a secret",
      ({ workspace }) => ({
        sensitive: { secret: grants(join(workspace, "deep/er/secret")), untrusted: [] },
      }),
      replace,
      "deep/er/secret",
    ],
  ])("%s", async (_, authority, change, name) => {
    const [code, lost] = (await endedBy(authority, (place) => change(place, name))) as [string, string];
    expect(code).toBe("FEMTO_FILE_CHANGED");
    // Of a folder that is moved, with all in it, any may be told, and of a file in it the folder.
    expect(lost.startsWith(name) || name.startsWith(`${lost}/`)).toBe(true);
  });
});

describe("a child runs on", () => {
  it.each<[string, (place: Playground) => void]>([
    [
      "when a denied file is written to where it lies",
      ({ workspace }) => writeFileSync(join(workspace, "secrets/key"), "x"),
    ],
    ["when an ordinary file is replaced", (place) => replace(place, "out/file")],
    ["when a file in a folder is replaced that is kept as a whole", (place) => replace(place, "asked/diary")],
    ["when the configuration is replaced", (place) => replace(place, "femtoclaw.toml")],
  ])("%s", async (_, change) => {
    expect(await endedBy(denied("secrets/key", writable), change)).toBe(0);
  });

  it("when the configuration is replaced, also where a table names it", async () => {
    const authority = (at: { workspace: string }): Partial<Authority> => {
      const own = grants(join(at.workspace, "femtoclaw.toml"));
      return { ...writable(at), deny: { read: own, write: own, run: [] } };
    };
    expect(await endedBy(authority, (place) => replace(place, "femtoclaw.toml"))).toBe(0);
  });

  it("when a folder is made on the way to what is denied and not there", async () => {
    expect(await endedBy(denied("build/secret/key"), (place) => replace(place, "build/secret/log"))).toBe(0);
  });
});

const view = ({ authority }: Playground) => viewOf(authority);
const sleeping = ({ workspace }: Playground) => ({
  ...programOf("sh"),
  args: ["-c", "echo runs; exec sleep 60"],
  cwd: workspace,
  environment: {},
});

it("so does what serves", async () => {
  using place = prepared(writable);
  const service = new ServiceChild({
    view: view(place),
    command: sleeping(place),
    limits: DEFAULT_CHILD_LIMITS,
    onOutput: () => replace(place, ".git/config"),
  });
  expect(await service.ended).toContain(
    `${place.workspace}/.git/config, which is protected from programs, was replaced or created`,
  );
});

it("an agent, which writes to nothing, ends with what it may not see alone", async () => {
  using place = prepared(denied("deep/er/secret", writable));
  const agent = new AgentChild({
    view: view(place),
    command: sleeping(place),
    limits: DEFAULT_CHILD_LIMITS,
    variables: {},
    settings: NO_SETTINGS,
    device: null,
    onConnection: () => undefined,
  });
  await agent.started;
  replace(place, ".git/config");
  expect(await Promise.race([agent.ended, new Promise((resolve) => setTimeout(resolve, 500))])).toBeUndefined();
  replace(place, "deep/er/secret");
  expect(await agent.ended).toMatchObject({ signal: "SIGKILL", fault: expect.stringContaining("deep/er/secret") });
  expect(readFileSync(join(place.workspace, ".git/config"), "utf8")).toBe("new");
});
