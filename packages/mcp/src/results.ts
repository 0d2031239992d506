/** Turns replies of the host into MCP results: structured for programs, and as text for a model. */
import { faultText, refusalText, resultText } from "@femtoclaw/client";
import { ERRORS, FemtoError, type Reply } from "@femtoclaw/protocol";
import { type CallToolResult, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { relayedResult } from "./relayed.ts";

/** Schema of the answer to a call that was not completed; it is the reply of the agent socket. */
export const NOT_COMPLETED = {
  title: "NotCompleted",
  description: "What became of a call that was refused, failed, or waits for an operator.",
  type: "object",
  required: ["status"],
  properties: {
    execution_id: { type: "string" },
    status: { enum: ["denied", "error", "pending", "interrupted"] },
    decision: { type: ["string", "null"] },
    error: {
      type: "object",
      required: ["code", "reason", "fix"],
      properties: {
        error_type: { type: "string" },
        code: { type: "string" },
        reason: { type: "string" },
        fix: { type: "string" },
      },
    },
    approval: { type: "object", properties: { id: { type: "string" }, expires_at: { type: "string" } } },
    policy: { type: "object", properties: { rules: { type: "array", items: { type: "string" } } } },
    next: { type: "string" },
  },
} as const;

/** In the range that JSON-RPC leaves to servers. */
const NOT_GIVEN = -32_000;

const GO_ON =
  "An operator is asked about this call. Call femtoclaw_wait with this execution_id to get its outcome; do not send the call again.";

export function resultOf(reply: Reply): CallToolResult {
  const { execution_id, record, policy, status } = reply;
  const about = {
    _meta: {
      "dev.femtoclaw/execution_id": execution_id,
      "dev.femtoclaw/record": record,
      ...(policy === undefined ? {} : { "dev.femtoclaw/rules": policy.rules }),
    },
  };
  if (status === "completed") {
    const relayed = relayedResult(reply);
    if (relayed !== null) return { ...relayed, _meta: { ...about._meta, ...relayed._meta } };
    const result = reply.result ?? {};
    return { ...about, content: [text(resultText(result))], structuredContent: result };
  }
  if (status === "pending") {
    const until = reply.approval === undefined ? "" : ` The question ends at ${reply.approval.expires_at}.`;
    const lines = [`pending: ${GO_ON}${until}`, `execution_id: ${execution_id}`];
    return { ...about, content: [text(lines.join("\n"))], structuredContent: { ...reply, next: GO_ON } };
  }
  return { ...about, isError: true, content: [text(refusalText(reply))], structuredContent: { ...reply } };
}

/** The protocol error to send instead of a resource or a prompt. It carries what a tool's answer would tell. */
export function refusalOf(reply: Reply): ProtocolError {
  const { structuredContent: data, content } = resultOf(reply);
  const said = content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
  const isParams =
    reply.error?.code === "FEMTO_ARGUMENTS_INVALID" || reply.error?.code === "FEMTO_CAPABILITY_NOT_FOUND";
  return new ProtocolError(isParams ? ProtocolErrorCode.InvalidParams : NOT_GIVEN, said, data);
}

/** A call that could not even be proposed, reported in the form of a reply. */
export function faultResult(fault: FemtoError): CallToolResult {
  const { code, type, message: reason, fix } = fault;
  const error = { error_type: type, code, reason, fix };
  return {
    isError: true,
    content: [text(faultText("error", error))],
    structuredContent: { status: "error", decision: null, error, record: null },
  };
}

/** Turns any error into a fault. An error without a code is a bug and is reported as such. */
export function faultOf(error: unknown): FemtoError {
  if (error instanceof FemtoError) return error;
  return new FemtoError("FEMTO_INTERNAL", "the MCP server failed", { fix: ERRORS.FEMTO_INTERNAL.fix, cause: error });
}

function text(content: string): { type: "text"; text: string } {
  return { type: "text", text: content };
}
