/** The meaning of each error code. The page of errors shows it beside the fix, which the table of codes holds. */
import type { ErrorCode } from "@femtoclaw/protocol";

export const ERROR_MEANINGS: Readonly<Record<ErrorCode, string>> = {
  FEMTO_PROTOCOL_NOT_UTF8: "The message is not UTF-8, or begins with a byte order mark.",
  FEMTO_PROTOCOL_SYNTAX: "The message is not one strict JSON text.",
  FEMTO_PROTOCOL_DUPLICATE_KEY:
    "An object of the message has the same key twice. Two parsers could use different values.",
  FEMTO_PROTOCOL_TOO_LARGE: "The message has more bytes or more values than the limit.",
  FEMTO_PROTOCOL_TOO_DEEP: "The message is nested deeper than the limit.",
  FEMTO_PROTOCOL_NUMBER: "A number of the message cannot be represented exactly.",
  FEMTO_PROTOCOL_TEXT: "A text contains half a surrogate pair, which has no UTF-8 form.",
  FEMTO_PROTOCOL_SHAPE: "The message has neither or both of its two forms, or an unknown field.",
  FEMTO_CAPABILITY_NOT_FOUND: "No capability has this exact name.",
  FEMTO_CAPABILITY_DISABLED:
    "The capability exists and is disabled, or an operator tried to enable a capability that the configuration locks off.",
  FEMTO_TOOL_QUARANTINED: "A tool of an MCP server, or a package, is new or differs from what was accepted.",
  FEMTO_ARGUMENTS_INVALID: "The arguments do not match the capability's input schema.",
  FEMTO_FACTS_FAILED:
    "An argument names something that could not be examined, so the policy had no facts to decide on.",
  FEMTO_POLICY_NO_PERMIT: "No rule permits this use.",
  FEMTO_POLICY_FORBIDDEN: "A rule forbids this use, whatever else permits it.",
  FEMTO_BUDGET_EXCEEDED: "The session has used up a budget of [budgets], or running calls may use up the rest.",
  FEMTO_APPROVAL_REFUSED: "A rule asks operators before such a call, and an operator said no to this one.",
  FEMTO_APPROVAL_EXPIRED:
    "A rule asks operators before such a call, and none answered in time. Or the host ended after the answer and was started again too late.",
  FEMTO_APPROVAL_LIMIT:
    "A rule asks operators before such a call, and this session asks too much: it has too many open questions, asks too many a minute, or had too many refused in a row.",
  FEMTO_APPROVAL_OPERATORS:
    "A rule asks more operators than have a key in the configuration, so there can never be enough answers.",
  FEMTO_POLICY_ERROR: "The decision engine could not decide, so the call is denied.",
  FEMTO_POLICY_ENGINE_FAILED:
    "The decision engine failed on this question, or no instance of it is left. The call is denied.",
  FEMTO_CAPABILITY_FAILED: "The call was permitted and its effect failed.",
  FEMTO_CAPABILITY_TIMED_OUT: "The effect took longer than its limit and was stopped.",
  FEMTO_CAPABILITY_CANCELLED: "The effect was stopped because its proposer cancelled it or the runtime ended.",
  FEMTO_CAPABILITY_CONTAINED: "The capability threw, or its result does not match its output schema.",
  FEMTO_FILE_NOT_FOUND: "The file to change does not exist.",
  FEMTO_FILE_EXISTS: "The file to create exists already.",
  FEMTO_FILE_TYPE:
    "The path has another type than expected, or is a file with several names where it may have only one.",
  FEMTO_FILE_CHANGED:
    "The file or program is no longer the one that was decided on. Or a file that is protected from programs was replaced while a program ran, and the program was ended.",
  FEMTO_FILE_TOO_LARGE: "The file, or the part of it that was asked for, is larger than the output limit.",
  FEMTO_FETCH_FAILED:
    "The host could not be reached at its pinned addresses, its certificate is not valid, or its answer is not valid HTTP.",
  FEMTO_FETCH_TOO_LARGE:
    "The headers or the body of an answer are larger than the limit. Nothing of the answer is kept.",
  FEMTO_FETCH_REDIRECT:
    "An answer redirected to an address that the policy does not permit, or there were too many redirects. Nothing was sent to that address.",
  FEMTO_UPSTREAM_UNAVAILABLE: "The MCP server could not be started or reached, or ended too often recently.",
  FEMTO_UPSTREAM_FAILED: "The MCP server ended during the call, or answered with an error or an invalid answer.",
  FEMTO_UPSTREAM_TOO_LARGE: "The answer of the MCP server is larger than the output limit. Nothing of it is kept.",
  FEMTO_UPSTREAM_BUSY: "The MCP server has the maximum number of calls under way.",
  FEMTO_UPSTREAM_NOT_FOUND: "The configuration has no MCP server of this name.",
  FEMTO_OS_REFUSED: "The operating system refused the effect, for example with EACCES or ENOSPC.",
  FEMTO_SANDBOX_UNAVAILABLE:
    "A program cannot be confined here, so it is not run. A host that finds this at its start does not start.",
  FEMTO_UPSTREAM_ASKS: "An MCP server asks its caller for something that its operator or the client does not permit.",
  FEMTO_SUBSCRIPTION_LIMIT:
    "This session, or all sessions together, have the maximum number of subscriptions to resources of MCP servers.",
  FEMTO_TERMINAL_LIMIT: "This session, or all sessions together, have the maximum number of terminals.",
  FEMTO_TERMINAL_ENDED: "The terminal has ended, so it cannot be written to or resized.",
  FEMTO_TERMINAL_BUSY: "The program on the terminal does not read its input, and no more input is kept for it.",
  FEMTO_TERMINAL_NOT_FOUND: "No terminal with this identifier is open, or the journal has no record of it.",
  FEMTO_EXECUTION_INTERRUPTED: "The host ended while the effect ran, so its outcome is unknown.",
  FEMTO_EXECUTION_HALTED: "The call was permitted and then stopped before its effect began.",
  FEMTO_EXECUTION_NOT_FOUND: "The journal has no execution with this identifier.",
  FEMTO_APPROVAL_NOT_FOUND:
    "The question is not open: it was never asked, has been answered, is being answered, has expired or was cancelled.",
  FEMTO_APPROVAL_MISMATCH:
    "The answer is for something other than the question asks, or comes from an operator who has already said yes to it.",
  FEMTO_APPROVAL_UNSIGNED:
    "The answer must be signed and is not. The configuration requires this, or the question needs several operators.",
  FEMTO_APPROVAL_SIGNATURE:
    "The signed answer is not valid: it was edited, has expired, is for another log, or its key does not belong to a current operator.",
  FEMTO_OPERATOR_KEY: "An operator's key cannot be created or used.",
  FEMTO_EXECUTION_NOT_UNRESOLVED:
    "The execution was not interrupted, has a resolution already, or was interrupted too long ago to get one.",
  FEMTO_JOURNAL_LOCKED: "Another process has this journal open.",
  FEMTO_JOURNAL_CORRUPT: "The journal is damaged, has a gap, or contains a record that contradicts earlier ones.",
  FEMTO_JOURNAL_FORMAT: "The journal was written in a format that this version does not know.",
  FEMTO_JOURNAL_WRITE_FAILED:
    "A record could not be made durable, even after the journal was opened again. From then on nothing is executed.",
  FEMTO_DISK_FULL: "The disk of the state directory is full, so no call is accepted. The refusal is counted.",
  FEMTO_JOURNAL_CLOSED: "The journal is closing, closed or failed.",
  FEMTO_JOURNAL_OVERLOADED: "Too many records, or too many bytes of records, wait for the disk.",
  FEMTO_JOURNAL_RECORD_TOO_LARGE: "A record would be larger than the limit.",
  FEMTO_JOURNAL_UNSIGNED: "No signed checkpoint covers the record yet.",
  FEMTO_LOG_ROLLED_BACK:
    "The log is not the one that was seen here before, or does not continue it: it is an older copy, a fork, another log, or has another key.",
  FEMTO_KNOWN_LOG_DAMAGED:
    "The remembered state of a log was changed, or can be changed by others, so logs cannot be compared with it.",
  FEMTO_FORK_REFUSED:
    "A fork cannot be made there, or the journal does not have the record after which the fork should begin.",
  FEMTO_BACKUP_FAILED: "The backup cannot be made, or cannot be written to that place.",
  FEMTO_BACKUP_DAMAGED: "The file is not a complete backup, or its contents are not what was signed.",
  FEMTO_RESTORE_REFUSED: "The backup cannot be restored to that place, or is of another log than the one known there.",
  FEMTO_STATE_ROLLED_BACK: "The journal is older than the last one that was written in this state directory.",
  FEMTO_UNDO_IMPOSSIBLE: "The journal does not have what is needed to undo this execution.",
  FEMTO_VALUE_NOT_FOUND: "The named records have no stored values that could be erased.",
  FEMTO_PRUNE_REFUSED: "No record before the named boundary can be dropped.",
  FEMTO_JOURNAL_PRUNED: "The record was dropped from the journal by `femtoclaw audit prune`; its hash is still there.",
  FEMTO_SECRET_INVALID: "The secret's name, value or destination is not valid, or the name is taken.",
  FEMTO_SECRET_NOT_FOUND: "No secret is stored under this name.",
  FEMTO_EXPORT_FAILED: "An export, a key or a signed answer could not be written.",
  FEMTO_KEY_MISSING: "The key file of this journal is missing.",
  FEMTO_KEY_MISMATCH: "The key file belongs to another journal.",
  FEMTO_STATE_NOT_FOUND: "The state directory, or the journal in it, does not exist.",
  FEMTO_STATE_OWNER:
    "The state directory, or the reserve in it, belongs to another user, or is of another type, or is a symbolic link.",
  FEMTO_STATE_MODE: "Other users may use or change the state directory.",
  FEMTO_CONFIG_NOT_FOUND: "No configuration was found.",
  FEMTO_CONFIG_SYNTAX: "The configuration is not valid TOML.",
  FEMTO_CONFIG_INVALID: "A key or value of the configuration, or a capability's manifest, is not valid.",
  FEMTO_CONFIG_UNTRUSTED:
    "The configuration was found rather than named, and its present contents are not trusted. Nothing of it was loaded.",
  FEMTO_CONFIG_OWNER: "Another user could change a file or folder that decides what is allowed.",
  FEMTO_INTEGRITY_FAILED:
    "The executable, a part of it, its manifest or its signature is not what was built and signed. Nothing was started.",
  FEMTO_INSTALL_REFUSED:
    "The executable is not put in force: it is not signed, is older, does not fit, or something is in the way.",
  FEMTO_INSTALL_NOT_FOUND: "No installation was found.",
  FEMTO_INSTALL_BUSY: "Another process is changing this installation.",
  FEMTO_INSTALL_CHANGED: "Installed files were changed since, so they are not removed without your consent.",
  FEMTO_UPGRADE_FAILED: "The host did not start with the new executable, so the previous one is in force again.",
  FEMTO_SURROUNDINGS:
    "The process lacks something that it needs, such as a high enough limit of open files, its working folder, or a folder for temporary files. The message names it.",
  FEMTO_NATIVE_CODE:
    "The database engine is loaded from a temporary file, and no folder for temporary files allows running code.",
  FEMTO_PLATFORM_UNSUPPORTED:
    "This system cannot provide what a guarantee needs, such as the owner of a file. FemtoClaw does nothing without it.",
  FEMTO_POLICY_INVALID:
    "The policy does not compile, does not validate, contains a grant that is wider than it looks, or fails one of its own tests.",
  FEMTO_OVERLOADED: "Too many calls are waiting. The refusal is counted and has no record of its own.",
  FEMTO_UNWITNESSED: "Witnesses are required, and one of them has not accepted the newest checkpoint in time.",
  FEMTO_SESSION_QUOTA: "The session has recorded more bytes than its share of the journal. The refusal is counted.",
  FEMTO_SESSION_HALTED:
    "The session was halted by an operator, by a budget, or because too many of its calls were refused. Further refusals are counted.",
  FEMTO_SESSION_NOT_FOUND:
    "The journal has no session with this identifier, or no longer remembers it because it has ended.",
  FEMTO_DRAINING: "The runtime takes no calls at present.",
  FEMTO_HOST_NOT_RUNNING: "No host listens on the socket, or the connection ended before the answer.",
  FEMTO_HOST_SILENT:
    "The process that has the sockets accepts connections and answers nothing: it was stopped, hangs, or cannot keep up.",
  FEMTO_HOST_RUNNING: "Another host already answers on the socket.",
  FEMTO_RELOAD_RESTART: "The configuration to reload changes more than the policy.",
  FEMTO_ENDPOINT_TAKEN: "The address for serving metrics or health is not available.",
  FEMTO_SOCKET_PATH: "The folder of the sockets cannot be used: its path is too long, or it is not private.",
  FEMTO_SOCKET_REQUEST: "A line on a socket is not a request.",
  FEMTO_VERB_UNKNOWN: "The socket does not offer this verb.",
  FEMTO_SUBSYSTEM_LOST: "A subsystem that every execution needs failed more often than its limit.",
  FEMTO_USAGE: "The command line cannot be understood.",
  FEMTO_INTERNAL: "A fault of FemtoClaw itself.",
};
