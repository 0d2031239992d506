/**
 * What is changed in the defaults of Codex: the features that are turned off, and what it knows about its model. Codex
 * decides by what it knows about a model which tools of its own to offer: to some models a tool that edits files, and
 * to some the MCP tools only through a search.
 */

/**
 * Features of Codex that are turned off: everything that runs, reads or reaches something by itself, or starts
 * something that does.
 */
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

/** LIMIT: tokens of a conversation before Codex shortens it; the value that Codex assumes for an unknown model. */
const CONTEXT_TOKENS = 272_000;

const INSTRUCTIONS = `You are a coding agent. You work on the files of the current folder by the tools of the MCP server \
femtoclaw alone, and have no shell and no tool for files beside them. Each call is decided on by a policy; one that is denied \
says why, and often what to do instead. Look before you change something, change what the task needs and no more, and say at \
the end what you did and what you could not do.`;

/** A catalogue with this model only, and without any tool besides those of the MCP servers. */
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
