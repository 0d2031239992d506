/** No call may replace what operators launch, what Cedar files permit calls to run, or FemtoClaw itself. */
import { expect, it } from "vitest";
import { authorityOf } from "../policy-fixture.ts";
import { findings, shareTrial } from "./files-fixture.ts";

shareTrial();

it("a permit to write where a program is that operators launch is found", async () => {
  const agent = { program: "/usr/bin/agent", realPath: "/srv/agent/agent", principal: "a", source: "file:1:1" };
  const policy = `@id("a") permit (principal, action == Action::"fs_write", resource in Path::"/srv");`;
  expect(await findings(policy)).toBeNull();
  expect(await findings(policy, { authority: { ...authorityOf(), launch: [agent] } })).toEqual([
    expect.stringContaining("calls could replace programs in /srv/agent/agent"),
  ]);
});

const WRITE = '@id("w") permit (principal, action == Action::"fs_write", resource in Path::"/srv");';
const RUNS = [
  ["its name", 'permit (principal, action == Action::"process_exec", resource == Program::"/usr/bin/linked")'],
  [
    "its file",
    'permit (principal, action == Action::"process_exec", resource) when { context.real_path == "/srv/tools/linked" }',
  ],
] as const;

it.each(RUNS)("a permit to write where a program is that another permit names by %s is found", async (_, run) => {
  expect(await findings(WRITE)).toBeNull();
  expect(await findings(`@id("r") ${run};`)).toBeNull();
  const found = await findings(`${WRITE}\n@id("r") ${run};`);
  expect(found).toEqual([expect.stringMatching(/:1:1: calls could replace programs in \/srv\/tools\/linked/)]);
  expect(await findings(`${WRITE.replace("permit", '@unsafe("a test") permit')}\n@id("r") ${run};`)).toBeNull();
});

it.each(RUNS)("a permit of a program by %s, whose file a table lets calls write, is found", async (_, run) => {
  for (const [tables, expected] of [
    [{ write: ["/srv"] }, [expect.stringMatching(/1:\d+: calls could replace the program \/srv\/tools\/linked.*deny/)]],
    [{ askWrite: ["/srv/tools"] }, [expect.stringContaining("calls could replace the program /srv/tools/linked")]],
    [{ write: ["/srv"], denyWrite: ["/srv/tools"] }, null],
    [{ write: ["/srv/other"] }, null],
  ] as const) {
    const authority = authorityOf(tables);
    expect(await findings(`@id("r") ${run};`, { authority })).toEqual(expected);
    const meant = await findings(`@id("r") @unsafe("a test") ${run};`, { authority });
    expect(meant).toBeNull();
  }
});

it("a permit to write where FemtoClaw itself is, or around it, is found", async () => {
  expect(await findings(WRITE, { ownPrograms: ["/opt/femtoclaw"] })).toBeNull();
  for (const own of ["/srv/femtoclaw/packages", "/srv", "/"]) {
    expect(await findings(WRITE, { ownPrograms: [own] })).toEqual([
      expect.stringContaining(`calls could replace programs in ${own}`),
    ]);
  }
});
