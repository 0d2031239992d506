/** The tools that a request to a model lists, by whichever protocol. */
export interface OfferedTool {
  readonly name: string;
  readonly namespace: string | null;
}

interface Listed {
  readonly type?: string;
  readonly name?: string;
  readonly function?: { readonly name: string };
  readonly tools?: readonly Listed[];
}

export function offeredTools(tools: readonly unknown[] = []): OfferedTool[] {
  return (tools as readonly Listed[]).flatMap(({ type, name, function: declared, tools: inner }) => {
    if (type === "namespace") {
      return offeredTools(inner).map((tool) => ({ name: tool.name, namespace: name ?? null }));
    }
    // Of a tool that the provider executes the type is the name.
    return [{ name: declared?.name ?? name ?? type ?? "", namespace: null }];
  });
}

/** Agents put words in front of the names of MCP servers' tools; one that nobody offered keeps its name. */
export function offeredAs(offered: readonly OfferedTool[], tool: string): OfferedTool {
  return (
    offered.find(({ name }) => name === tool) ??
    offered.find(({ name }) => name.endsWith(`femtoclaw_${tool}`) || name.endsWith(`femtoclaw__${tool}`)) ?? {
      name: tool,
      namespace: null,
    }
  );
}
