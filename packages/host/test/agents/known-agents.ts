/** The agents that `femtoclaw run` writes configurations for, as they are tried: pinned, and started without a person. */
import type { LaunchSetting } from "@femtoclaw/runtime/configuration";

export interface KnownAgent {
  readonly kind: Exclude<LaunchSetting["kind"], "other">;
  readonly package: string;
  /** That of the last time when the stories passed. */
  readonly version: string;
  /** What a person types behind its name, to have one thing done. */
  argv(prompt: string): readonly string[];
  /** One that it knows, where it gives itself tools by what it knows of its model. */
  readonly model: string;
  /** The variable that it takes the key of its model from. */
  readonly key: string;
  /** Behind the address of the model's server. */
  readonly path: string;
  /** Its own tools, as a model that knows it would call them; each would show, or leave, a mark. */
  own(mark: string): readonly { readonly tool: string; readonly args: Readonly<Record<string, unknown>> }[];
  /** What it offers to the model beside ours: it reaches nothing by them. */
  readonly kept: readonly string[];
}

export const KNOWN_AGENTS: readonly KnownAgent[] = [
  {
    kind: "claude",
    package: "@anthropic-ai/claude-code",
    version: "2.1.330",
    argv: (prompt) => ["-p", prompt],
    model: "claude-sonnet-4-5",
    key: "ANTHROPIC_API_KEY",
    path: "",
    own: (mark) => [
      { tool: "Bash", args: { command: `echo ${mark}`, description: "says it" } },
      { tool: "Read", args: { file_path: "notes.txt" } },
      { tool: "WebFetch", args: { url: "http://127.0.0.1:3129/", prompt: "what is there" } },
    ],
    kept: [],
  },
  {
    kind: "codex",
    package: "@openai/codex",
    version: "0.169.0",
    argv: (prompt) => ["exec", "--skip-git-repo-check", prompt],
    model: "gpt-6.1-sol",
    key: "OPENAI_API_KEY",
    path: "/v1",
    own: (mark) => [
      { tool: "shell", args: { command: ["sh", "-c", `echo ${mark}`] } },
      { tool: "exec_command", args: { cmd: `echo ${mark}` } },
      { tool: "apply_patch", args: { input: "*** Begin Patch\n*** Add File: out/own\n+x\n*** End Patch" } },
    ],
    kept: ["list_mcp_resources", "list_mcp_resource_templates", "read_mcp_resource", "request_user_input"],
  },
  {
    kind: "opencode",
    package: "opencode-ai",
    version: "1.18.33",
    argv: (prompt) => ["run", prompt],
    model: "scripted-1",
    key: "OPENAI_API_KEY",
    path: "/v1",
    own: (mark) => [
      { tool: "bash", args: { command: `echo ${mark}`, description: "says it" } },
      { tool: "read", args: { filePath: "notes.txt" } },
      { tool: "webfetch", args: { url: "http://127.0.0.1:3129/", format: "text" } },
    ],
    kept: [],
  },
  {
    kind: "pi",
    package: "@mariozechner/pi-coding-agent",
    version: "0.73.1",
    argv: (prompt) => ["-p", prompt],
    model: "scripted-1",
    key: "OPENAI_API_KEY",
    path: "/v1",
    own: (mark) => [
      { tool: "bash", args: { command: `echo ${mark}` } },
      { tool: "read", args: { path: "notes.txt" } },
      { tool: "write", args: { path: "/tmp/own", content: mark } },
    ],
    kept: [],
  },
];
