/**
 * What each known agent is told for one launch, word for word. `npm run agents` holds the real ones to it: whoever changes
 * it, or the version that is pinned there, runs that first.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ResolvedConfiguration } from "@femtoclaw/runtime";
import type { LaunchSetting } from "@femtoclaw/runtime/configuration";
import { NO_SETTINGS } from "@femtoclaw/sandbox";
import { expect, test } from "vitest";
import { launchFinding } from "../../src/launch/launch-finding.ts";
import { throwAway } from "../../src/launch/throw-away.ts";
import { KNOWN_AGENTS } from "../agents/known-agents.ts";

const PLACE = { workspace: "/srv/project", cwd: "/srv/project/inner" };

function settingOf(kind: LaunchSetting["kind"], more: Partial<LaunchSetting> = {}): LaunchSetting {
  const program = `/usr/local/bin/${kind}`;
  return { name: kind, program, realPath: program, principal: "coder", env: [], kind, source: "a:1:1", ...more };
}

test.each(KNOWN_AGENTS)(
  "$kind at a server of this machine, as version $version took it",
  ({ kind, version, model, key }) => {
    const setting = settingOf(kind, { model, env: ["LANG", key], baseUrl: "http://127.0.0.1:11434/v1" });
    const { argv, variables, settings } = throwAway(setting, PLACE);
    const files = Object.fromEntries(settings.files.map(({ path, content }) => [path, content.split("\n")]));
    const told = { version, argv, variables, tunnel: settings.tunnel, hidesProject: settings.hidesProject, files };
    const golden = JSON.parse(readFileSync(join(import.meta.dirname, "golden", `${kind}.json`), "utf8")) as unknown;
    expect(told).toEqual(golden);
  },
);

test.each(KNOWN_AGENTS)(
  "$kind with the model of its provider has no tunnel, and the key in no file",
  ({ kind, model, key }) => {
    const { settings, variables } = throwAway(settingOf(kind, { model, env: [key] }), PLACE);
    expect(settings.tunnel).toBeNull();
    const written = JSON.stringify([settings, variables]);
    expect(written).not.toContain("3129");
    // Without a model it is as closed, but asks what it chooses.
    const { settings: free } = throwAway(settingOf(kind), PLACE);
    expect(JSON.stringify(free.files)).toContain("/dev/femtoclaw/mcp");
    expect(JSON.stringify(free.files)).not.toContain(model);
  },
);

test("a model over TLS is reached by its own name, and one without TLS by a tunnel to its very port", () => {
  const over = (baseUrl: string) => {
    const { settings } = throwAway(settingOf("codex", { model: "m", env: ["MY_KEY"], baseUrl }), PLACE);
    return { tunnel: settings.tunnel, text: settings.files.map(({ content }) => content).join("\n") };
  };
  expect(over("https://models.example.com/v1")).toMatchObject({ tunnel: null });
  expect(over("https://models.example.com/v1").text).toContain('base_url = "https://models.example.com/v1"');
  expect(over("https://models.example.com/v1").text).toContain('env_key = "MY_KEY"');
  expect(over("http://localhost/api")).toMatchObject({ tunnel: "localhost:80" });
  expect(over("http://localhost/api").text).toContain('base_url = "http://127.0.0.1:3129/api"');
  expect(over("http://[::1]:8080")).toMatchObject({ tunnel: "[::1]:8080" });
});

test("an agent of another kind is told nothing", () => {
  expect(throwAway(settingOf("other", { env: ["KEY"] }), PLACE)).toEqual({
    argv: [],
    variables: {},
    settings: NO_SETTINGS,
  });
});

test("no name of a folder says anything but a name", () => {
  const hostile = '/srv/a"]\n[mcp_servers.evil]\ncommand = "sh';
  const place = { workspace: hostile, cwd: `${hostile}/b` };
  for (const kind of ["claude", "codex", "opencode", "pi"] as const) {
    const { files } = throwAway(settingOf(kind, { model: "m" }), place).settings;
    expect(files, kind).not.toEqual([]);
    for (const { path, content } of files) {
      expect(content, path).not.toMatch(/^\[mcp_servers\.evil\]/m);
    }
  }
});

test("doctor says which launch cannot reach its model, or would have a tool of its own", () => {
  const grant = (host: string, port: number | null) => {
    const program = "/usr/local/bin/codex";
    return { hosts: "one", host, port, source: "a:1:1", program, realPath: program } as const;
  };
  const finding = (setting: LaunchSetting, ...connect: ReturnType<typeof grant>[]) => {
    const resolved = { launches: [setting], authority: { connect } };
    return launchFinding(resolved as unknown as ResolvedConfiguration, (path) => path !== "/home/me/codex");
  };
  const local = settingOf("codex", { model: "m", baseUrl: "http://127.0.0.1:11434/v1" });
  expect(finding(local, grant("127.0.0.1", 11434))).toEqual({ verdict: "ok", detail: "codex as codex" });
  expect(finding(local, grant("127.0.0.1", null)).detail).toContain("codex cannot reach its model");
  expect(finding(local).fix).toContain('connect = { codex = ["127.0.0.1:11434"] }');
  expect(finding(settingOf("codex", { model: "m" })).detail).toContain("reaches no host");
  expect(finding(settingOf("codex"), grant("api.openai.com", null)).fix).toContain("model = ");
  expect(finding(settingOf("other")).detail).toBe("other as it configures itself");
  const elsewhere = finding({ ...settingOf("other"), realPath: "/home/me/codex" });
  expect(elsewhere).toMatchObject({ verdict: "warn", fix: expect.stringContaining("[sandbox].read") });
});
