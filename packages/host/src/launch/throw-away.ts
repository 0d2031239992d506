/**
 * The configuration that an agent gets for one launch and that vanishes with it. FemtoClaw is its only MCP server, its
 * own tools for files, programs and the network are off, nothing in the project is obeyed, and its model is where the
 * operator says. Pure. `npm run agents` checks that the real agents accept what is written here.
 */

import type { LaunchSetting } from "@femtoclaw/runtime/configuration";
import { type AgentSettings, DOOR_PATH, NO_SETTINGS, TUNNEL_ADDRESS } from "@femtoclaw/sandbox";
import { tomlString } from "../configuration/toml-text.ts";
import { OPENCODE_TOOLS } from "../mcp/agent-configuration.ts";
import { piExtension } from "../mcp/pi-extension.ts";
import { CODEX_FEATURES, codexModels } from "./codex-choices.ts";

export interface ThrowAway {
  /** Arguments that precede those of the operator. */
  readonly argv: readonly string[];
  /** Variables that are added to those from the shell. */
  readonly variables: Readonly<Record<string, string>>;
  readonly settings: AgentSettings;
}

export interface LaunchPlace {
  readonly workspace: string;
  /** The working directory in which the agent starts. */
  readonly cwd: string;
}

/** A folder of the sandbox's own, empty at first, which vanishes with it. */
const HOME = "/tmp";
/**
 * Name in the agent's configuration for our MCP server, and for the provider of a model that is not the agent's own.
 */
const NAME = "femtoclaw";

type Told = Pick<ThrowAway, "argv" | "variables"> & Pick<AgentSettings, "files">;

export function throwAway(setting: LaunchSetting, place: LaunchPlace): ThrowAway {
  if (setting.kind === "other") return { argv: [], variables: {}, settings: NO_SETTINGS };
  const model = modelOf(setting);
  const { argv, variables, files } = TOLD[setting.kind](model, place);
  return {
    argv,
    // INVARIANT: I8: under these names a program finds its own folders, whatever variables it is given besides.
    variables: { HOME, XDG_CONFIG_HOME: `${HOME}/.config`, ...variables },
    settings: { files, tunnel: model.tunnel, hidesProject: true },
  };
}

interface Model {
  readonly name: string | null;
  /** The URL by which the agent reaches the model; null if the agent's own provider has it. */
  readonly url: string | null;
  readonly tunnel: string | null;
  /** Names of the variables that the agent gets; one of them may hold the key. */
  readonly env: readonly string[];
}

function modelOf({ model, baseUrl, env }: LaunchSetting): Model {
  const named = { name: model ?? null, env };
  if (baseUrl === undefined) return { ...named, url: null, tunnel: null };
  const address = new URL(baseUrl);
  if (address.protocol === "https:") return { ...named, url: baseUrl, tunnel: null };
  const tunnel = address.port === "" ? `${address.host}:80` : address.host;
  const path = address.pathname.replace(/\/$/, "");
  return { ...named, url: `http://${TUNNEL_ADDRESS}${path}`, tunnel };
}

/** The variable with the model's key: the usual one, or the first whose name looks like a key's. */
function keyOf({ env }: Model, usual: string): string | null {
  return env.includes(usual) ? usual : (env.find((name) => /_(?:KEY|TOKEN)$/.test(name)) ?? null);
}

const TOLD: Readonly<Record<Exclude<LaunchSetting["kind"], "other">, (model: Model, place: LaunchPlace) => Told>> = {
  claude,
  codex,
  opencode,
  pi,
};

function claude({ name, url }: Model, place: LaunchPlace): Told {
  const folder = `${HOME}/.claude`;
  const servers = `${folder}/femtoclaw-mcp.json`;
  const state = { hasCompletedOnboarding: true, projects: { [place.cwd]: { hasTrustDialogAccepted: true } } };
  const options = {
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
    ENABLE_CLAUDEAI_MCP_SERVERS: "false",
    // Otherwise it offers MCP tools only through a search, which is a tool of its own and turned off.
    ENABLE_TOOL_SEARCH: "false",
  };
  return {
    // The last argument takes no value, so that it ends the lists before it.
    argv: [
      ...(name === null ? [] : ["--model", name]),
      ...["--mcp-config", servers, "--setting-sources", "user", "--tools", ""],
      ...["--allowedTools", `mcp__${NAME}__*`, "--strict-mcp-config"],
    ],
    variables: {
      ...options,
      CLAUDE_CONFIG_DIR: folder,
      ...(url === null ? {} : { ANTHROPIC_BASE_URL: url.replace(/\/v1$/, "") }),
    },
    files: [
      { path: servers, content: json({ mcpServers: { [NAME]: { command: DOOR_PATH, args: [] } } }) },
      // No settings of the project are read, and with them none of its instructions in prose. So these are imported
      // here.
      { path: `${folder}/CLAUDE.md`, content: `${wordsOf(["CLAUDE.md"], place).map(imported).join("\n")}\n` },
      { path: `${folder}/settings.json`, content: json({ disableAllHooks: true }) },
      { path: `${folder}/.claude.json`, content: json(state) },
    ],
  };
}

const OPENAI_KEY = "OPENAI_API_KEY";
const OPENAI_URL = "https://api.openai.com/v1";

function codex(model: Model, { workspace, cwd }: LaunchPlace): Told {
  const key = keyOf(model, OPENAI_KEY);
  const url = model.url ?? (key === OPENAI_KEY ? OPENAI_URL : null);
  const folder = `${HOME}/.codex`;
  const catalog = `${folder}/models.json`;
  const lines = [
    ...(model.name === null
      ? []
      : [`model = ${tomlString(model.name)}`, `model_catalog_json = ${tomlString(catalog)}`]),
    // The built-in provider asks for a login, which would be lost with this home.
    ...(url === null ? [] : [`model_provider = "${NAME}"`]),
    'approval_policy = "never"',
    'sandbox_mode = "read-only"',
    'web_search = "disabled"',
    "check_for_update_on_startup = false",
    "analytics = { enabled = false }",
    "agents = { enabled = false }",
    "",
    ...(url === null
      ? []
      : [
          `[model_providers.${NAME}]`,
          'name = "the model of this launch"',
          `base_url = ${tomlString(url)}`,
          'wire_api = "responses"',
          ...(key === null ? [] : [`env_key = ${tomlString(key)}`]),
          "",
        ]),
    `[mcp_servers.${NAME}]`,
    `command = ${tomlString(DOOR_PATH)}`,
    "args = []",
    "tool_timeout_sec = 600",
    'default_tools_approval_mode = "approve"',
    "",
    "[features]",
    ...CODEX_FEATURES.map((feature) => `${feature} = false`),
    ...[...new Set([workspace, cwd])].flatMap((folder) => [
      "",
      `[projects.${tomlString(folder)}]`,
      // Without this it would not read the project's instructions in prose. What could make it start something is
      // hidden.
      'trust_level = "trusted"',
    ]),
  ];
  return {
    argv: [],
    variables: { CODEX_HOME: folder },
    files: [
      { path: `${folder}/config.toml`, content: `${lines.join("\n")}\n` },
      ...(model.name === null
        ? []
        : [{ path: catalog, content: json(codexModels(model.name, { isOpenAi: model.url === null })) }]),
    ],
  };
}

function opencode(model: Model, place: LaunchPlace): Told {
  const { name, url } = model;
  const key = keyOf(model, OPENAI_KEY);
  const full = name !== null && url !== null ? `${NAME}/${name}` : name;
  const options = { baseURL: url, ...(key === null ? {} : { apiKey: `{env:${key}}` }) };
  const provider = {
    npm: "@ai-sdk/openai-compatible",
    name: "the model of this launch",
    options,
    models: { [String(name)]: { tool_call: true } },
  };
  const configuration = {
    $schema: "https://opencode.ai/config.json",
    ...(full === null ? {} : { model: full, small_model: full }),
    ...(url === null ? {} : { provider: { [NAME]: provider } }),
    mcp: { [NAME]: { type: "local", command: [DOOR_PATH], enabled: true } },
    tools: Object.fromEntries(OPENCODE_TOOLS.map((tool) => [tool, false])),
    // This covers tools that a later version may add.
    permission: { "*": "deny", [`${NAME}_*`]: "allow" },
    // The project's instructions in prose are listed by name, because none of its settings are read.
    instructions: wordsOf(["AGENTS.md", "CLAUDE.md"], place),
    autoupdate: false,
    share: "disabled",
    snapshot: false,
    lsp: false,
    formatter: false,
  };
  const folder = `${HOME}/.config/opencode`;
  const off = ["PROJECT_CONFIG", "AUTOUPDATE", "LSP_DOWNLOAD", "MODELS_FETCH", "SHARE"];
  return {
    argv: [],
    variables: {
      OPENCODE_CONFIG: `${folder}/opencode.json`,
      OPENCODE_PURE: "1",
      ...Object.fromEntries(off.map((what) => [`OPENCODE_DISABLE_${what}`, "1"])),
    },
    files: [{ path: `${folder}/opencode.json`, content: json(configuration) }],
  };
}

function pi(model: Model): Told {
  const { name, url } = model;
  const folder = `${HOME}/.pi/agent`;
  const extension = `${folder}/femtoclaw.js`;
  // Pi takes this for the name of a variable that holds the key. A server without a key gets a word that names none.
  const apiKey = keyOf(model, OPENAI_KEY) ?? "none";
  const provider = { baseUrl: url, api: "openai-completions", apiKey, models: [{ id: name }] };
  return {
    argv: [
      ...["--no-builtin-tools", "--no-extensions", "--extension", extension],
      ...(name === null ? [] : url === null ? ["--model", name] : ["--provider", NAME, "--model", name]),
    ],
    variables: { PI_CODING_AGENT_DIR: folder, PI_OFFLINE: "1", PI_SKIP_VERSION_CHECK: "1" },
    files: [
      { path: extension, content: piExtension([DOOR_PATH], {}) },
      ...(url === null ? [] : [{ path: `${folder}/models.json`, content: json({ providers: { [NAME]: provider } }) }]),
    ],
  };
}

/** Files in which a project gives instructions in prose. */
function wordsOf(names: readonly string[], { workspace, cwd }: LaunchPlace): string[] {
  return [...new Set([workspace, cwd])].flatMap((folder) => names.map((name) => `${folder}/${name}`));
}

/** The syntax by which Claude Code imports another file, one per line. */
function imported(path: string): string {
  return `@${path.replace(/[\n\r]/g, "").replaceAll(" ", "\\ ")}`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
