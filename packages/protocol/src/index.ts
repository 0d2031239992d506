/** Strict parsing, validators, types, identifiers, error codes and limits: what every other package speaks. */
export type { Authority, GrantTable, PathGrant, ProgramGrant, ProgramUse } from "./authority.ts";
export { printable } from "./display.ts";
export { ERRORS, type ErrorCode, EXIT, errorText, FemtoError, systemErrorCode } from "./errors.ts";
export type * from "./generated/types.ts";
export {
  type ValidationError,
  type Validator,
  validateConfig,
  validateFacts,
  validateManifest,
  validateMessage,
  validateRecord,
  validateReply,
  validateSnapshot,
} from "./generated/validators.js";
export type { BootId, ExecutionId, SessionId } from "./identifiers.ts";
export { LIMITS } from "./limits.ts";
export { type MessageFault, type MessageResult, parseMessage } from "./message.ts";
export type { RecordBodies, RecordEntry, RecordType, TypedRecord } from "./records.ts";
export { type JsonFault, type JsonLimits, type JsonResult, type JsonValue, parseStrictJson } from "./strict-json.ts";
export { RECORD_FORMAT, VERSION } from "./version.ts";
export { describeViolations } from "./violations.ts";
