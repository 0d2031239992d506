/**
 * What of Codex is not as it would choose: features that are off, and what it knows of its model. Codex gives tools of its
 * own by what it knows of a model: to some a tool that edits files, and to some MCP tools only by a search for them.
 */

/** What of Codex is turned off: all that runs, reads or reaches something by itself, or starts what does. */
export const CODEX_FEATURES: readonly string[] = [
  "apps",
  "auth_elicitation",
  "browser_use",
  "browser_use_external",
  "computer_use",
  "daemon_auto_start",
  "goals",
  "hooks",
  "image_generation",
  "in_app_browser",
  "memories",
  "multi_agent_v2",
  "plugins",
  "remote_plugin",
  "shell_snapshot",
  "shell_tool",
  "skill_mcp_dependency_install",
  "sleep_tool",
  "tool_suggest",
  "unified_exec",
  "view_image",
  "workspace_dependencies",
];

/** LIMIT: tokens that it fills a conversation with before it shortens it, as it assumes of a model that it does not know. */
const CONTEXT_TOKENS = 272_000;

const INSTRUCTIONS = `You are a coding agent. You work on the files of the current folder by the tools of the MCP server \
femtoclaw alone, and have no shell and no tool for files beside them. Each call is decided on by a policy; one that is denied \
says why, and often what to do instead. Look before you change something, change what the task needs and no more, and say at \
the end what you did and what you could not do.`;

/** The one model that it is to know, with no tool that is not named under its servers. */
export function codexModels(name: string, { isOpenAi }: { readonly isOpenAi: boolean }): object {
  const model = {
    slug: name,
    display_name: name,
    visibility: "list",
    supported_in_api: true,
    priority: 1,
    base_instructions: INSTRUCTIONS,
    shell_type: "disabled",
    apply_patch_tool_type: null,
    tool_mode: null,
    supports_search_tool: false,
    experimental_supported_tools: [],
    supports_parallel_tool_calls: false,
    supports_reasoning_summaries: isOpenAi,
    supported_reasoning_levels: [],
    support_verbosity: false,
    truncation_policy: { mode: "tokens", limit: 10_000 },
    context_window: CONTEXT_TOKENS,
  };
  return { models: [model] };
}
