/**
 * The MCP server of the library, except that it says plainly what is wrong with a request. The library calls most
 * params of a wrong shape an internal error, and tells it by the JSON text of its validator.
 */
import { LIMITS, parseJson, printable } from "@femtoclaw/protocol";
import {
  type JSONRPCRequest,
  ProtocolError,
  ProtocolErrorCode,
  type Result,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";

type Handler = (request: JSONRPCRequest, context: ServerContext) => Promise<Result>;

/** What the library's validator says, in which the client's values do not occur. */
const ISSUES = /^(?:Invalid tools\/call request: )?(\[\n[\s\S]*)$/;
/** LIMIT: issues that are told; a client that mends these is told the rest. */
const ISSUES_MAX = 4;

export class PlainServer extends Server {
  protected override _wrapHandler(method: string, handler: Handler): Handler {
    const served = super._wrapHandler(method, handler);
    return async (request, context) => {
      try {
        return await served(request, context);
      } catch (error) {
        const wrong = error instanceof Error ? wrongIn(error.message) : null;
        if (wrong === null) throw error;
        const reason = printable(`invalid request ${method}: ${wrong}`, LIMITS.reasonChars);
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, reason);
      }
    };
  }
}

/** Null if the message is no list of issues. */
function wrongIn(message: string): string | null {
  const text = ISSUES.exec(message)?.[1];
  if (text === undefined) return null;
  let issues: unknown;
  try {
    issues = parseJson(text);
  } catch {
    return null;
  }
  if (!Array.isArray(issues)) return null;
  const told = issues.slice(0, ISSUES_MAX).map(({ path, message }: Readonly<Record<string, unknown>>) => {
    const place = Array.isArray(path) ? path.map(String).join(".") : "";
    return `${place === "" ? "the request" : place}: ${String(message)}`;
  });
  const more = issues.length - told.length;
  return `${told.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}
