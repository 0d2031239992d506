/** The documents keep step with the code: links lead somewhere, commands exist, tables are the machines'. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  executionMachine,
  lifecycleMachine,
  memoryMachine,
  observabilityMachine,
  policyMachine,
  registryMachine,
} from "@femtoclaw/machines";
import { describe, expect, test } from "vitest";
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { commandsOf, everyCommand } from "../../packages/host/test/command-lines.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SKIPPED = new Set(["node_modules", "coverage", ".git", ".femtoclaw-demo"]);

function markdownIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : markdownIn(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

const PAGES = markdownIn(ROOT).map((path) => ({ name: relative(ROOT, path), path, text: readFileSync(path, "utf8") }));
const withoutCode = (text: string): string => text.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "");
const page = (name: string): string => PAGES.find((found) => found.name === name)?.text ?? "";

test("there are documents to check", () => {
  expect(PAGES.map(({ name }) => name)).toEqual(expect.arrayContaining(["README.md", "docs/reference/cli.md"]));
});

describe.each(PAGES)("$name", ({ name, path, text }) => {
  test("has only links that lead somewhere", () => {
    const targets = [...withoutCode(text).matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1] ?? "");
    const broken = targets.filter((target) => !/^https?:/.test(target) && !leadsSomewhere(path, target));
    expect(broken).toEqual([]);
  });

  test("names no path of the machine that it was written on", () => {
    // The last one is where sockets lie when there is no XDG_RUNTIME_DIR, on every machine.
    const found = text.match(/(?<![\w.~$-])\/(?:work|root|home|Users|tmp)\/[^\s`"')]*/g) ?? [];
    expect(found.filter((place) => !place.startsWith("/tmp/femtoclaw-UID"))).toEqual([]);
  });

  test("calls only scripts of npm that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: object };
    const called = shellLines(text).flatMap(scriptOf);
    expect(called.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
    if (name === "README.md") expect(called).toEqual(expect.arrayContaining(["start", "test"]));
  });
});

test.each(PAGES.flatMap(({ name, text }) => commandLines(text).map((line) => [name, line] as const)))(
  "%s shows a command that there is: %s",
  async (_name, line) => {
    expect(await commandsOf(line)).not.toEqual([]);
  },
);

/** Lines that begin with the command, as it is called in a project or where an executable lies; the rest is prose of a shell. */
function commandLines(text: string): string[] {
  const joined = shellLines(text)
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  return joined.filter((line) => /^(?:sudo )?(?:\.\/)?femtoclaw(?:-linux-x64)? /.test(line));
}

function leadsSomewhere(from: string, target: string): boolean {
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? from : resolve(dirname(from), decodeURIComponent(file));
  if (!existsSync(path)) return false;
  return anchor === undefined || anchorsOf(readFileSync(path, "utf8")).has(anchor);
}

/** Anchors as the places that show Markdown make them from headings. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/^#+ (.+)$/gm)];
  return new Set(
    headings.map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function shellLines(text: string): string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) => block.split("\n"));
}

/** The script that a line runs; npm's own commands are none. */
function scriptOf(line: string): string[] {
  const call = /(?:^|[{&;|]\s*)npm ([^#]*)/.exec(line)?.[1];
  if (call === undefined) return [];
  const [command = "", script = ""] =
    call.replaceAll(/--(?:prefix|workspace) \S+|(?<=^|\s)-\S*/g, "").match(/\S+/g) ?? [];
  if (command === "run") return [script];
  return ["ci", "install"].includes(command) ? [] : [command];
}

test("every page of docs can be reached from README.md", () => {
  const reached = new Set(["README.md"]);
  // A set that grows while it is walked is walked to its end.
  for (const name of reached) {
    for (const [, target = ""] of withoutCode(page(name)).matchAll(/\]\(([^()\s#]+\.md)(?:#[^()\s]*)?\)/g)) {
      if (!/^https?:/.test(target)) reached.add(relative(ROOT, resolve(ROOT, dirname(name), target)));
    }
  }
  const pages = PAGES.map(({ name }) => name).filter((name) => name.startsWith("docs/"));
  expect(pages.filter((name) => !reached.has(name))).toEqual([]);
});

test("docs/reference/protocol.md has every verb of the sockets", () => {
  const socket = readFileSync(join(ROOT, "packages/protocol/src/sockets/socket.ts"), "utf8");
  const verbs = [...socket.matchAll(/type \w+Verb =([^;]+);/g)].flatMap(
    ([, union = ""]) => union.match(/"[a-z.]+"/g) ?? [],
  );
  expect(verbs).toContain('"propose"');
  const named =
    page("docs/reference/protocol.md")
      .match(/^\| `[a-z.`, ]+(?= \|)/gm)
      ?.join() ?? "";
  expect(verbs.filter((verb) => !named.includes(verb.replaceAll('"', "`")))).toEqual([]);
});

describe("docs/reference/cli.md", () => {
  const commands = [...everyCommand()].filter(([, command]) => command.parent !== null);

  test.each(commands)("describes the command %s", (name, command) => {
    const { commands: within, options } = command;
    if (within.length === 0) expect(page("docs/reference/cli.md")).toMatch(new RegExp(`\`${name}\\b`));
    const named = options.flatMap(({ hidden, long }) => (hidden ? [] : (long ?? [])));
    expect(named.filter((option) => !page("docs/reference/cli.md").includes(option))).toEqual([]);
  });

  test("has the exit codes that there are", async () => {
    const { EXIT } = await import("@femtoclaw/protocol");
    const rows = [...page("docs/reference/cli.md").matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
    expect(rows).toEqual(Object.values(EXIT));
  });
});

/** `from event to`, for every pair that a row of the tables under the heading names. */
function documented(heading: string): string[] {
  const section = page("ARCHITECTURE.md").split(`\n### ${heading}\n`)[1]?.split(/\n##/)[0] ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => {
      const [from = [], events = [], to = []] = line
        .split("|")
        .slice(1, 4)
        .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
      return from.flatMap((state) => events.flatMap((event) => to.map((target) => `${state} ${event} ${target}`)));
    })
    .sort();
}

function transitionsOf(node: AnyStateNode): string[] {
  const own = [...node.transitions.values()].flat().map(({ eventType, target }) => {
    const event = eventType.replace(/^xstate\.error\.actor\..+$/, "crash");
    return `${node.key} ${event} ${(target ?? [node]).map(({ key }) => key).join("+")}`;
  });
  return [...own, ...Object.values(node.states).flatMap(transitionsOf)];
}

describe("ARCHITECTURE.md has every transition and no other", () => {
  const machines: Readonly<Record<string, AnyStateMachine>> = {
    lifecycle: lifecycleMachine,
    memory: memoryMachine,
    registry: registryMachine,
    policy: policyMachine,
    observability: observabilityMachine,
    execution: executionMachine,
  };
  test.each(Object.entries(machines))("%s", (name, machine) => {
    // The regions of the four subsystems are alike and stand there once.
    expect([...new Set(transitionsOf(machine.root))].sort()).toEqual(documented(name));
  });
});
