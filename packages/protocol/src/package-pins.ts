/** The name under which records hold what was accepted of a capability package; no MCP server can have it. */
export function packagePins(capability: string): string {
  return `capability:${capability}`;
}
