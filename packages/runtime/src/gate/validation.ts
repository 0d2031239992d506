/**
 * Checks whether a proposal is a message of the protocol, and whether its call names an enabled capability with valid
 * arguments.
 */
import type { JsonObject } from "@femtoclaw/capabilities";
import {
  describeViolations,
  ERRORS,
  type ErrorCode,
  LIMITS,
  parseMessage,
  printable,
  type ToolCall,
} from "@femtoclaw/protocol";
import type { Endings, EventType } from "./endings.ts";
import { messageEntry } from "./entries.ts";
import type { Execution } from "./execution.ts";
import type { GateParts } from "./gate-parts.ts";
import { type Problem, verdictOf } from "./verdict.ts";

export class Validation {
  readonly #parts: GateParts;
  readonly #endings: Endings;

  constructor(parts: GateParts, endings: Endings) {
    this.#parts = parts;
    this.#endings = endings;
  }

  validate(execution: Execution): EventType | Promise<EventType> {
    const parsed = parseMessage(execution.bytes);
    if (!parsed.ok) return this.#endings.refuse(execution, "invalid", parsed.fault);
    if ("message" in parsed.message) {
      const entry = messageEntry(execution, parsed.message.message.content);
      execution.ending = { event: "message", decision: verdictOf("message").decision, entry };
      return "message";
    }
    const call = parsed.message.tool_call;
    execution.call = call;
    const arriving = this.#parts.arriving(call.tool);
    if (arriving === null) return this.#validateCall(execution, call);
    return arriving.then(() => this.#validateCall(execution, call));
  }

  #validateCall(execution: Execution, call: ToolCall): EventType {
    const missing = this.lookUp(execution, call);
    return missing === null ? "valid" : this.#endings.refuse(execution, missing.event, missing.problem);
  }

  /**
   * Checks in this order that the capability is registered and enabled, and that the arguments match its schema; null
   * if all of it holds.
   */
  lookUp(
    execution: Execution,
    { tool, args }: ToolCall,
  ): { readonly event: "unknown" | "disabled" | "argumentsInvalid"; readonly problem: Problem } | null {
    const registered = this.#parts.registered(tool);
    // INVARIANT: I8: a proposer cannot name a capability that only an operator may launch.
    if (registered === undefined || (registered.capability.isLaunched && execution.launch === undefined)) {
      const reason = `no capability is called \`${printable(tool, LIMITS.labelChars)}\``;
      const problem = this.#parts.absent(tool) ?? { code: "FEMTO_CAPABILITY_NOT_FOUND", reason };
      return { event: "unknown", problem };
    }
    execution.capability = registered.capability;
    execution.codeSha256 = registered.codeSha256 ?? null;
    execution.secrets = registered.secrets;
    if (!registered.enabled) {
      const reason = `the capability \`${tool}\` is disabled`;
      const fix = namedFix("FEMTO_CAPABILITY_DISABLED", registered.capability.manifest.name);
      return { event: "disabled", problem: { code: "FEMTO_CAPABILITY_DISABLED", reason, fix } };
    }
    if (registered.problem !== undefined) return { event: "disabled", problem: registered.problem };
    if (registered.validators.input(args)) {
      const problem = registered.problemOf?.(args as JsonObject) ?? null;
      const event = problem?.code === "FEMTO_ARGUMENTS_INVALID" ? "argumentsInvalid" : "disabled";
      return problem === null ? null : { event, problem };
    }
    const reason = `arguments: ${describeViolations(registered.validators.input.errors ?? [])}`;
    // A tool of an MCP server is no capability by itself, and models have its schema.
    const isTool = registered.capability.manifest.name !== tool;
    const fix = isTool
      ? "Send arguments that match the tool's input schema."
      : namedFix("FEMTO_ARGUMENTS_INVALID", tool);
    return { event: "argumentsInvalid", problem: { code: "FEMTO_ARGUMENTS_INVALID", reason, fix } };
  }
}

/** The advice with the capability's name in its commands, so that they can be typed as they are shown. */
const namedFix = (code: ErrorCode, name: string): string => ERRORS[code].fix.replace("NAME`", `${name}\``);
