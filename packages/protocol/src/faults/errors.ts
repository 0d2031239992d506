/**
 * Every error code that a user can meet, with its kind, exit code and fix. Denials and interruptions are values in the
 * journal; faults are thrown as `FemtoError`; bugs are assertions and have no code.
 */
import type { ErrorType } from "../generated/types.ts";

/** Exit codes of the command line, on which scripts rely. */
export const EXIT = {
  ok: 0,
  no: 1,
  internal: 2,
  incomplete: 3,
  usage: 64,
  badInput: 65,
  unavailable: 69,
  journal: 70,
  pending: 75,
  denied: 77,
  configuration: 78,
} as const;

interface ErrorDefinition {
  readonly type: ErrorType;
  readonly exit: (typeof EXIT)[keyof typeof EXIT];
  /** What the reader can do next: a full sentence without the particulars, which are in the message. */
  readonly fix: string;
}

const define = <T extends Record<string, ErrorDefinition>>(definitions: T): T => definitions;

const protocol = (fix: string): ErrorDefinition => ({ type: "ProtocolError", exit: EXIT.badInput, fix });
const denied = (fix: string): ErrorDefinition => ({ type: "AuthorizationError", exit: EXIT.denied, fix });
const failed = (fix: string): ErrorDefinition => ({ type: "CapabilityError", exit: EXIT.no, fix });
const memory = (fix: string): ErrorDefinition => ({ type: "MemoryError", exit: EXIT.journal, fix });
const configuration = (fix: string): ErrorDefinition => ({ type: "ConfigurationError", exit: EXIT.configuration, fix });
const system = (fix: string): ErrorDefinition => ({ type: "SystemError", exit: EXIT.unavailable, fix });

export const ERRORS = define({
  FEMTO_PROTOCOL_NOT_UTF8: protocol("Send the message as UTF-8 without a byte order mark."),
  FEMTO_PROTOCOL_SYNTAX: protocol("Send one strict JSON text (RFC 8259), without comments or trailing commas."),
  FEMTO_PROTOCOL_DUPLICATE_KEY: protocol("Send each key of an object once."),
  FEMTO_PROTOCOL_TOO_LARGE: protocol("Send a smaller message; the reason names the limit."),
  FEMTO_PROTOCOL_TOO_DEEP: protocol("Send a message with less nesting; the reason names the limit."),
  FEMTO_PROTOCOL_NUMBER: protocol(
    "Send integers between -(2^53-1) and 2^53-1, and finite numbers. Send other numbers as strings.",
  ),
  FEMTO_PROTOCOL_TEXT: protocol("Send well-formed Unicode text; a lone surrogate has no UTF-8 form."),
  FEMTO_PROTOCOL_SHAPE: protocol(
    'Send either {"message":{"content":"…"}} or {"tool_call":{"tool":"…","args":{…}}} and no other field.',
  ),

  FEMTO_CAPABILITY_NOT_FOUND: denied(
    "Use a name that `femtoclaw capabilities list` shows; names are exact and case-sensitive.",
  ),
  FEMTO_CAPABILITY_DISABLED: denied(
    "An operator can name it under [capabilities] in femtoclaw.toml or run `femtoclaw capabilities enable NAME`.",
  ),
  FEMTO_TOOL_QUARANTINED: denied(
    "Continue without this tool. An operator can see with `femtoclaw mcp pins list` what its server changed, and accept it with `femtoclaw mcp pins accept`.",
  ),
  FEMTO_ARGUMENTS_INVALID: {
    type: "AuthorizationError",
    exit: EXIT.badInput,
    fix: "Send arguments that match the capability's input schema. `femtoclaw capabilities show NAME` lists their names.",
  },
  FEMTO_FACTS_FAILED: {
    type: "AuthorizationError",
    exit: EXIT.badInput,
    fix: "Name a resource that exists and can be examined. The reason says what could not be examined.",
  },
  FEMTO_POLICY_NO_PERMIT: denied(
    "Continue with other uses of the capability, which may be permitted. An operator can see with `femtoclaw policy why RECORD` what would allow this one.",
  ),
  FEMTO_POLICY_FORBIDDEN: denied(
    "Continue with other uses of the capability, which may be permitted. An operator can see with `femtoclaw policy why RECORD` which rule forbids this one.",
  ),
  FEMTO_BUDGET_EXCEEDED: denied(
    "The session takes no more calls. An operator can raise the budget under [budgets] in femtoclaw.toml. A new session has a budget of its own.",
  ),
  FEMTO_APPROVAL_REFUSED: denied(
    "An operator said no to this call. Do something else, or ask the operator what would be acceptable.",
  ),
  FEMTO_APPROVAL_EXPIRED: denied(
    "No operator answered in time, so nothing was executed. Send the call again when an operator can answer.",
  ),
  FEMTO_APPROVAL_LIMIT: denied(
    "Wait until an operator has answered the questions of this session, then send the call again.",
  ),
  FEMTO_APPROVAL_OPERATORS: denied(
    "Too few operators have a key to approve this call. An operator can add keys under [approvals].operators, or let the rule ask fewer operators.",
  ),
  FEMTO_POLICY_ERROR: denied(
    "The decision engine reported an error, so nothing was permitted. An operator can find the cause in the host's log.",
  ),
  FEMTO_POLICY_ENGINE_FAILED: denied(
    "The decision engine failed on this question and was replaced. An operator can find the cause in the host's log and should report it.",
  ),

  FEMTO_CAPABILITY_FAILED: failed("The call was permitted, but its effect failed. The reason says why."),
  FEMTO_UPSTREAM_ASKS: failed(
    "To let the server ask, add `may_ask` to its table under [mcp.servers] and use a client that can answer. Or use a tool that asks nothing.",
  ),
  FEMTO_SUBSCRIPTION_LIMIT: failed("End another subscription first, or read the resource when it is needed."),
  FEMTO_TERMINAL_LIMIT: failed("Close a terminal with terminal_close, or wait until one has ended."),
  FEMTO_TERMINAL_ENDED: failed("Read the remaining output with terminal_read, and open another terminal."),
  FEMTO_TERMINAL_BUSY: failed(
    "Read the terminal, wait until its program has read its input, and write again in smaller parts.",
  ),
  FEMTO_TERMINAL_NOT_FOUND: failed(
    "Use an identifier that `femtoclaw terminal list` shows. For a terminal that has ended, use the record of its terminal_open call in `femtoclaw executions list`.",
  ),
  FEMTO_CAPABILITY_TIMED_OUT: failed(
    "Ask for less in one call, or raise timeout_ms in the call. An operator can raise the limit under [limits].",
  ),
  FEMTO_CAPABILITY_CANCELLED: failed(
    "Check what the call has already done. If its effect is still wanted, send the call again.",
  ),
  FEMTO_CAPABILITY_CONTAINED: failed(
    "The capability broke its own contract and was stopped. Report this to its maintainer.",
  ),
  FEMTO_FILE_NOT_FOUND: failed("Name a file that exists. `fs_list` shows the contents of a folder."),
  FEMTO_FILE_EXISTS: failed('Use mode "overwrite" or "append" to change a file that exists.'),
  FEMTO_FILE_TYPE: failed(
    "Name a regular file, or a folder where a folder is expected. Devices, sockets, pipes and links are refused.",
  ),
  FEMTO_FILE_CHANGED: failed("The file changed between decision and effect. Send the call again."),
  FEMTO_FILE_TOO_LARGE: failed("Read a part of the file with offset and length."),
  FEMTO_FETCH_FAILED: failed("Read the reason: the host did not answer, or its answer was not valid HTTP."),
  FEMTO_FETCH_TOO_LARGE: failed("Ask the host for less, for example with a Range header or another URL."),
  FEMTO_FETCH_REDIRECT: failed(
    "Fetch the address that the answer points to with a separate call, if that is permitted.",
  ),
  FEMTO_UPSTREAM_UNAVAILABLE: failed(
    "Send the call again later. An operator can see the state of the server with `femtoclaw mcp pins list`.",
  ),
  FEMTO_UPSTREAM_FAILED: failed(
    "The MCP server did not answer as it should. Check what the call may have done before you send it again.",
  ),
  FEMTO_UPSTREAM_TOO_LARGE: failed("Ask the tool for less in one call."),
  FEMTO_UPSTREAM_BUSY: failed("Wait until other calls of this MCP server have ended, then send the call again."),
  FEMTO_UPSTREAM_NOT_FOUND: {
    type: "ConfigurationError",
    exit: EXIT.usage,
    fix: "Use a name from [mcp.servers] in femtoclaw.toml.",
  },
  FEMTO_OS_REFUSED: failed("The operating system refused. FemtoClaw never retries with more privileges."),
  FEMTO_SANDBOX_UNAVAILABLE: failed("Run `femtoclaw doctor`. It shows what the sandbox needs on this machine."),
  FEMTO_EXECUTION_INTERRUPTED: {
    type: "RuntimeError",
    exit: EXIT.no,
    fix: "The host ended while the effect ran. Check what the effect did. An operator then records this with `femtoclaw executions resolve`.",
  },
  FEMTO_EXECUTION_HALTED: {
    type: "RuntimeError",
    exit: EXIT.no,
    fix: "The call was stopped before its effect began, so nothing was executed. Send it again if it is still wanted.",
  },
  FEMTO_EXECUTION_NOT_FOUND: {
    type: "RuntimeError",
    exit: EXIT.no,
    fix: "Use the number of a record, or an identifier, that `femtoclaw executions list --all` shows.",
  },
  FEMTO_APPROVAL_NOT_FOUND: {
    type: "RuntimeError",
    exit: EXIT.no,
    fix: "Use an identifier that `femtoclaw approvals list` shows. Each question can be answered once.",
  },
  FEMTO_APPROVAL_MISMATCH: {
    type: "AuthorizationError",
    exit: EXIT.denied,
    fix: "Look at the question again with `femtoclaw approvals show` and answer what it asks now.",
  },
  FEMTO_UNDO_IMPOSSIBLE: {
    type: "RuntimeError",
    exit: EXIT.no,
    fix: "See with `femtoclaw executions show` what it did, and change that with calls of your own.",
  },
  FEMTO_APPROVAL_UNSIGNED: {
    type: "AuthorizationError",
    exit: EXIT.denied,
    fix: "Sign the answer with the key of an operator: `femtoclaw approvals allow ID --key FILE`, or `deny`.",
  },
  FEMTO_APPROVAL_SIGNATURE: {
    type: "AuthorizationError",
    exit: EXIT.denied,
    fix: "Get the card again with `femtoclaw approvals show ID --json`, and sign it with the key of a current operator.",
  },
  FEMTO_OPERATOR_KEY: {
    type: "ConfigurationError",
    exit: EXIT.configuration,
    fix: "Name the file that `femtoclaw keys operator NAME --out FILE` wrote, and type its passphrase on a terminal.",
  },
  FEMTO_EXECUTION_NOT_UNRESOLVED: {
    type: "RuntimeError",
    exit: EXIT.badInput,
    fix: "Name an execution that `femtoclaw executions list --state interrupted` shows without a resolution.",
  },

  FEMTO_JOURNAL_LOCKED: {
    type: "MemoryError",
    exit: EXIT.unavailable,
    fix: "Another process has the state directory open. Stop it with `femtoclaw down`, or name another directory with --state.",
  },
  FEMTO_JOURNAL_CORRUPT: memory(
    "Nothing was changed. Keep a copy of the state directory as evidence and restore it from a backup.",
  ),
  FEMTO_JOURNAL_FORMAT: {
    type: "MemoryError",
    exit: EXIT.incomplete,
    fix: "Open this state directory with a version of FemtoClaw that knows its format.",
  },
  FEMTO_JOURNAL_WRITE_FAILED: memory(
    "Free disk space or repair the disk, then start the host again. Everything that was acknowledged is kept.",
  ),
  FEMTO_DISK_FULL: memory(
    "Free space on the disk of the state directory. The host then continues by itself. The call was not executed; send it again.",
  ),
  FEMTO_JOURNAL_CLOSED: memory("The journal takes no more records. Start the host again."),
  FEMTO_JOURNAL_OVERLOADED: system("The disk cannot keep up. Send the call again later."),
  FEMTO_JOURNAL_UNSIGNED: {
    type: "MemoryError",
    exit: EXIT.incomplete,
    fix: "Ask for a checkpoint first. A record can be proved and exported once a checkpoint covers it.",
  },
  FEMTO_LOG_ROLLED_BACK: {
    type: "MemoryError",
    exit: EXIT.no,
    fix: "Put the right state directory back. If you deleted the log or restored a backup yourself, run `femtoclaw audit forget`.",
  },
  FEMTO_KNOWN_LOG_DAMAGED: {
    type: "MemoryError",
    exit: EXIT.no,
    fix: "Restore the file from a backup, or correct its owner and mode. `femtoclaw audit forget` gives it up. After that, a log that was rolled back earlier is accepted as the right one.",
  },
  FEMTO_FORK_REFUSED: memory("Name a folder that does not exist yet, in a folder that nobody else can write to."),
  FEMTO_STATE_ROLLED_BACK: memory(
    "Start a host in this state directory. It keeps the older journal and continues in a new epoch.",
  ),
  FEMTO_VALUE_NOT_FOUND: {
    type: "MemoryError",
    exit: EXIT.no,
    fix: "See with `femtoclaw --json executions show` which values the records commit to, and which were erased already.",
  },
  FEMTO_PRUNE_REFUSED: {
    type: "MemoryError",
    exit: EXIT.no,
    fix: "Name an older boundary. Records that the runtime's state still needs cannot be dropped.",
  },
  FEMTO_JOURNAL_PRUNED: {
    type: "MemoryError",
    exit: EXIT.incomplete,
    fix: "Look in an export or a copy that was made earlier. `femtoclaw audit prove` still proves the records in it.",
  },
  FEMTO_SECRET_INVALID: {
    type: "ConfigurationError",
    exit: EXIT.badInput,
    fix: "See `femtoclaw secrets add --help`. If the name is taken, remove the secret that is stored under it first.",
  },
  FEMTO_SECRET_NOT_FOUND: {
    type: "ConfigurationError",
    exit: EXIT.no,
    fix: "Use a name that `femtoclaw secrets list` shows.",
  },
  FEMTO_EXPORT_FAILED: memory("Name a place that does not exist yet, on a disk with room."),
  FEMTO_BACKUP_FAILED: memory(
    "Name a file that does not exist yet, on a disk with room, in a folder that no call can reach and nobody else can write to.",
  ),
  FEMTO_BACKUP_DAMAGED: {
    type: "MemoryError",
    exit: EXIT.no,
    fix: "Use another backup. Nothing was restored. Compare the file with the original from which it was copied.",
  },
  FEMTO_RESTORE_REFUSED: memory(
    "Name a state directory that does not exist yet, in a folder that only you can write to. Move an old one aside. An installation for the machine has a folder of root's: let root create /var/lib/femtoclaw/backups for the host's user, restore as that user to a folder in it, and let root move the result to /var/lib/femtoclaw/state.",
  ),
  FEMTO_JOURNAL_RECORD_TOO_LARGE: memory("Send smaller arguments or ask for less output."),
  FEMTO_STATE_NOT_FOUND: memory(
    "Name a folder that exists. A state directory is created by the first start of its host.",
  ),
  FEMTO_STATE_OWNER: memory("Use a state directory that belongs to the user who runs the host."),
  FEMTO_STATE_MODE: memory("Remove the permissions of group and others: chmod 700 on the folder named in the message."),
  FEMTO_KEY_MISSING: configuration(
    "Restore the key file from a backup. If there is none, continue in a new log that carries this one over: `femtoclaw backup`, move the state directory aside, `femtoclaw restore`.",
  ),
  FEMTO_KEY_MISMATCH: configuration(
    "Put back the key file that belongs to this journal, or the journal that belongs to this key.",
  ),

  FEMTO_CONFIG_NOT_FOUND: configuration("Create one with `femtoclaw init`, or name one with --config."),
  FEMTO_CONFIG_SYNTAX: configuration("Correct the TOML at the place named in the message."),
  FEMTO_CONFIG_INVALID: configuration(
    "Correct the key or value at the place named in the message; docs/reference/configuration.md lists all of them.",
  ),
  FEMTO_CONFIG_UNTRUSTED: configuration(
    "Read the file, then run `femtoclaw trust` in its folder; it shows what the file would allow. To test it before, name it: `femtoclaw --config femtoclaw.toml policy test`.",
  ),
  FEMTO_CONFIG_OWNER: configuration(
    "Make the file and its folder belong to you or root, and remove the write permission of group and others.",
  ),
  FEMTO_INTEGRITY_FAILED: configuration(
    "Do not use this executable. Get it again, with its manifest and signature, from a source that you trust.",
  ),
  FEMTO_INSTALL_REFUSED: configuration(
    "Do what the reason asks for, then run the command again. The version in force has not changed.",
  ),
  FEMTO_INSTALL_NOT_FOUND: configuration(
    "Say with --user, --system or --prefix where it is installed, or install it first with `femtoclaw install`.",
  ),
  FEMTO_INSTALL_BUSY: system(
    "Wait until the other process has ended. Then look at `femtoclaw status`, and run the command again.",
  ),
  FEMTO_INSTALL_CHANGED: {
    type: "ConfigurationError",
    exit: EXIT.no,
    fix: "Move the files that you want to keep, or add --changed to remove them as well. Nothing was removed.",
  },
  FEMTO_UPGRADE_FAILED: {
    type: "RuntimeError",
    exit: EXIT.no,
    fix: "Read the reason, and host.log in the state directory. The journal is as the hosts left it, and nothing has to be restored.",
  },
  FEMTO_SURROUNDINGS: system("Provide what the message names, and run the command again."),
  FEMTO_NATIVE_CODE: system("Set TMPDIR to a folder in which this user may write and that is not mounted with noexec."),
  FEMTO_PLATFORM_UNSUPPORTED: system(
    "Use Linux, where everything was tested. An exported log can be verified on every system.",
  ),
  FEMTO_POLICY_INVALID: configuration(
    "Correct the rule named in the message. `femtoclaw policy check` tells whether the policy loads.",
  ),

  FEMTO_OVERLOADED: system("Nothing was executed. Send the call again after a pause."),
  FEMTO_UNWITNESSED: system(
    "Send the call again later. An operator can see with `femtoclaw audit witness` which witness fails, and why.",
  ),
  FEMTO_SESSION_QUOTA: system("Nothing was executed. Send the call again after a pause."),
  FEMTO_SESSION_HALTED: system(
    "Nothing was executed. The reason says why the session was halted. An operator decides whether work continues in a new session.",
  ),
  FEMTO_SESSION_NOT_FOUND: {
    type: "RuntimeError",
    exit: EXIT.no,
    fix: "Use an identifier that `femtoclaw status` shows.",
  },
  FEMTO_DRAINING: system("The host is stopping. Send the call again after it has started."),
  FEMTO_HOST_NOT_RUNNING: system(
    "Start the host with `femtoclaw up --detach`. `call` and `send` also work without a host, with --embedded.",
  ),
  FEMTO_HOST_SILENT: system(
    "The host's process is stopped, hangs or is overloaded. Find it, for example with `pgrep -af femtoclaw`. Continue it with `kill -CONT PID`, or end it with `kill -KILL PID` and start it with `femtoclaw up --detach`. This loses nothing that was answered.",
  ),
  FEMTO_HOST_RUNNING: system("A host already serves this state directory. Use it, or stop it with `femtoclaw down`."),
  FEMTO_RELOAD_RESTART: configuration(
    "Stop the host with `femtoclaw down` and start it again. A reload changes only the policy.",
  ),
  FEMTO_ENDPOINT_TAKEN: system(
    "Choose another address under [observability] in femtoclaw.toml, or stop the process that listens there. Then start again.",
  ),
  FEMTO_SOCKET_PATH: configuration("Set [host].runtime_dir to a short folder of your own, with mode 700."),
  FEMTO_SOCKET_REQUEST: {
    type: "ProtocolError",
    exit: EXIT.badInput,
    fix: "Send one JSON object per line with `id`, `verb` and the verb's fields.",
  },
  FEMTO_VERB_UNKNOWN: {
    type: "AuthorizationError",
    exit: EXIT.denied,
    fix: "This endpoint does not offer that verb. Operator verbs exist only on the operator socket.",
  },
  FEMTO_SUBSYSTEM_LOST: {
    type: "RuntimeError",
    exit: EXIT.internal,
    fix: "A subsystem failed more often than its restart limit. Read the host's log, then start the host again.",
  },
  FEMTO_USAGE: { type: "ConfigurationError", exit: EXIT.usage, fix: "Run the command with --help." },
  FEMTO_INTERNAL: {
    type: "RuntimeError",
    exit: EXIT.internal,
    fix: "This is a fault of FemtoClaw. Please report it with the host's log.",
  },
});

export type ErrorCode = keyof typeof ERRORS;

/** A fault with a documented code. `message` is in lower case, names the particulars and ends without a full stop. */
export class FemtoError extends Error {
  override readonly name = "FemtoError";
  readonly code: ErrorCode;
  /** What to do next. */
  readonly fix: string;

  constructor(code: ErrorCode, message: string, options: { readonly fix?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = options.fix ?? ERRORS[code].fix;
  }

  get type(): ErrorType {
    return ERRORS[this.code].type;
  }

  get exit(): number {
    return ERRORS[this.code].exit;
  }
}

/** The `code` of a system error such as `ENOENT`, or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  // For some errors, `rmSync` of Node.js gives an empty code and only the words of the C library.
  if (error.code === "") return CODES_BY_WORDS.find(([words]) => error.message.includes(words))?.[1] ?? "UNKNOWN";
  return typeof error.code === "string" ? error.code : undefined;
}

const CODES_BY_WORDS = [
  ["Read-only file system", "EROFS"],
  ["Input/output error", "EIO"],
] as const;

/** The text of anything that was thrown, even of a value that throws when it is converted to text. */
export function errorText(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "a value that has no text";
  }
}
