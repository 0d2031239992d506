/** The name under which records hold the accepted pins of a capability package. No MCP server can have this name. */
export function packagePins(capability: string): string {
  return `capability:${capability}`;
}
