/** The meaning of each error code. The page of errors shows it beside the fix, which the table of codes holds. */
import type { ErrorCode } from "@femtoclaw/protocol";

export const ERROR_MEANINGS: Readonly<Record<ErrorCode, string>> = {
  FEMTO_PROTOCOL_NOT_UTF8: "The message is not UTF-8, or begins with a byte order mark.",
  FEMTO_PROTOCOL_SYNTAX: "The message is not one strict JSON text.",
  FEMTO_PROTOCOL_DUPLICATE_KEY:
    "An object of the message has the same key twice; two readers could take different ones.",
  FEMTO_PROTOCOL_TOO_LARGE: "The message has more bytes or more values than the limit.",
  FEMTO_PROTOCOL_TOO_DEEP: "The message is nested deeper than the limit.",
  FEMTO_PROTOCOL_NUMBER: "A number of the message cannot be held exactly.",
  FEMTO_PROTOCOL_TEXT: "A text holds half a surrogate pair, which has no UTF-8 form.",
  FEMTO_PROTOCOL_SHAPE: "The message has neither or both of its two forms, or an unknown field.",
  FEMTO_CAPABILITY_NOT_FOUND: "No capability has this exact name.",
  FEMTO_CAPABILITY_DISABLED:
    "The capability exists and is disabled; or an operator tried to enable what the configuration locks off.",
  FEMTO_TOOL_QUARANTINED: "A tool of an MCP server is new, or is not what was accepted of it.",
  FEMTO_ARGUMENTS_INVALID: "The arguments do not match the capability's input schema.",
  FEMTO_FACTS_FAILED: "What an argument names could not be examined, so policy had nothing to decide on.",
  FEMTO_POLICY_NO_PERMIT: "No rule permits this use.",
  FEMTO_POLICY_FORBIDDEN: "A rule forbids this use, whatever else permits it.",
  FEMTO_BUDGET_EXCEEDED:
    "The session has used up what [budgets] gives it, or calls that still run may use what is left.",
  FEMTO_APPROVAL_REFUSED: "A rule asks operators before such a call, and an operator said no to this one.",
  FEMTO_APPROVAL_EXPIRED:
    "A rule asks operators before such a call, and none answered in time; or the host ended after the answer and came back too late.",
  FEMTO_APPROVAL_LIMIT:
    "A rule asks operators before such a call, and this session asks too much: too many open questions, too many a minute, or too many in a row that were refused.",
  FEMTO_APPROVAL_OPERATORS:
    "A rule asks more operators than the configuration names with a key, so that no answers could ever be enough.",
  FEMTO_POLICY_ERROR: "The decision engine could not decide, and what is not decided is denied.",
  FEMTO_POLICY_ENGINE_FAILED:
    "The decision engine broke down over this question, or no instance of it is left. It is denied.",
  FEMTO_CAPABILITY_FAILED: "The call was permitted and its effect failed.",
  FEMTO_CAPABILITY_TIMED_OUT: "The effect took longer than it may and was stopped.",
  FEMTO_CAPABILITY_CANCELLED: "The effect was stopped because its proposer cancelled it or the runtime ended.",
  FEMTO_CAPABILITY_CONTAINED: "The capability threw, or returned what its output schema does not describe.",
  FEMTO_FILE_NOT_FOUND: "The file to change does not exist.",
  FEMTO_FILE_EXISTS: "The file to create exists already.",
  FEMTO_FILE_TYPE: "What stands at the path is of another type, or is a file with several names where one is needed.",
  FEMTO_FILE_CHANGED:
    "The file or program is not the one that was decided on any more; or a file that is kept from programs was replaced while one ran, which was ended.",
  FEMTO_FILE_TOO_LARGE: "The file, or the part of it that was asked for, is larger than the output limit.",
  FEMTO_FETCH_FAILED:
    "The host could not be reached at its pinned addresses, its certificate does not hold, or its answer is no proper HTTP.",
  FEMTO_FETCH_TOO_LARGE: "The headers or the body of an answer are larger than the limit; nothing of it is kept.",
  FEMTO_FETCH_REDIRECT:
    "An answer led to where policy does not let the call go, or led on too often. Nothing was sent there.",
  FEMTO_UPSTREAM_UNAVAILABLE: "The MCP server could not be started or reached, or was ended too often of late.",
  FEMTO_UPSTREAM_FAILED: "The MCP server ended during the call, or answered with an error or what is no answer.",
  FEMTO_UPSTREAM_TOO_LARGE: "What the MCP server answered is larger than the output limit; nothing of it is kept.",
  FEMTO_UPSTREAM_BUSY: "As many calls are under way at the MCP server as may be.",
  FEMTO_UPSTREAM_NOT_FOUND: "The configuration has no MCP server of this name.",
  FEMTO_OS_REFUSED: "The operating system refused the effect, for example with EACCES or ENOSPC.",
  FEMTO_SANDBOX_UNAVAILABLE:
    "A program cannot be confined here, so it is not run; when the host starts, it does not start.",
  FEMTO_UPSTREAM_ASKS:
    "An MCP server asks whoever calls it for something that its operator or the client does not permit.",
  FEMTO_SUBSCRIPTION_LIMIT:
    "As many subscriptions to resources of MCP servers are open as may, of this session or of all.",
  FEMTO_TERMINAL_LIMIT: "As many terminals run as may, of this session or of all.",
  FEMTO_TERMINAL_ENDED: "The terminal has ended, so nothing can be written to it and its size means nothing.",
  FEMTO_TERMINAL_BUSY: "The program on the terminal does not read what was written to it, and no more is kept for it.",
  FEMTO_TERMINAL_NOT_FOUND: "No terminal of this identifier is open, or the journal has no record of one.",
  FEMTO_EXECUTION_INTERRUPTED: "The host ended while the effect ran, so that its outcome is unknown.",
  FEMTO_EXECUTION_HALTED: "The call was permitted and then stopped before its effect began.",
  FEMTO_EXECUTION_NOT_FOUND: "The journal knows no execution of this identifier.",
  FEMTO_APPROVAL_NOT_FOUND:
    "The question that was to be answered is not open: it was never asked, has been answered, is being answered, has expired or was cancelled.",
  FEMTO_APPROVAL_MISMATCH:
    "The answer is to something else than the question asks, or by an operator who has said yes to it already.",
  FEMTO_APPROVAL_UNSIGNED:
    "The answer is not signed, and has to be: the configuration demands it, or the question needs several operators.",
  FEMTO_APPROVAL_SIGNATURE:
    "The signed answer counts for nothing: it was edited, has expired, is for another log, or its key is of no operator in force.",
  FEMTO_OPERATOR_KEY: "The key of an operator cannot be made or used.",
  FEMTO_EXECUTION_NOT_UNRESOLVED:
    "The execution was not interrupted, has a resolution already, or was interrupted too long ago to get one.",
  FEMTO_JOURNAL_LOCKED: "Another process has this journal open.",
  FEMTO_JOURNAL_CORRUPT: "The journal is damaged, has a gap, or holds a record that contradicts those before it.",
  FEMTO_JOURNAL_FORMAT: "The journal was written in a format that this version does not know.",
  FEMTO_JOURNAL_WRITE_FAILED:
    "A record could not be made durable, also not after opening the journal again; from then on nothing is executed.",
  FEMTO_DISK_FULL: "The disk of the state directory has no room to spare, so no call is taken. The refusal is counted.",
  FEMTO_JOURNAL_CLOSED: "The journal is closing, closed or failed.",
  FEMTO_JOURNAL_OVERLOADED: "Too many records, or too many bytes of them, wait for the disk.",
  FEMTO_JOURNAL_RECORD_TOO_LARGE: "A record would be larger than the limit.",
  FEMTO_JOURNAL_UNSIGNED: "No signed checkpoint covers the record yet.",
  FEMTO_LOG_ROLLED_BACK:
    "The log is not the one that was seen here before, or does not go on from what was seen: an older copy, a fork, another log or key.",
  FEMTO_KNOWN_LOG_DAMAGED:
    "What was remembered of a log was changed, or can be changed by others, so nothing can be held to it.",
  FEMTO_FORK_REFUSED: "A fork cannot be made there, or the journal does not hold the record that it should end with.",
  FEMTO_BACKUP_FAILED: "The backup cannot be made, or cannot be written where it was to be.",
  FEMTO_BACKUP_DAMAGED: "The file is no whole backup, or what is in it is not what was signed.",
  FEMTO_RESTORE_REFUSED: "The backup cannot be put there, or is not of the log that is known there.",
  FEMTO_STATE_ROLLED_BACK: "The journal is older than what was last written in this state directory.",
  FEMTO_UNDO_IMPOSSIBLE: "What the execution did is not recorded in a way that could be taken back.",
  FEMTO_VALUE_NOT_FOUND: "There is no value beside the named records that could be erased.",
  FEMTO_PRUNE_REFUSED: "Nothing below the named boundary can be dropped.",
  FEMTO_JOURNAL_PRUNED: "The record was dropped from the journal by `femtoclaw audit prune`; its hash is still there.",
  FEMTO_SECRET_INVALID:
    "What was to be stored has a name, a value or a destination that no secret can have, or the name is taken.",
  FEMTO_SECRET_NOT_FOUND: "No secret is stored under this name.",
  FEMTO_EXPORT_FAILED: "An export, a key or a signed answer could not be written.",
  FEMTO_KEY_MISSING: "The key file of this journal is not there.",
  FEMTO_KEY_MISMATCH: "The key file is not the one of this journal.",
  FEMTO_STATE_NOT_FOUND: "The state directory, or the journal in it, does not exist.",
  FEMTO_STATE_OWNER:
    "The state directory, or the reserve in it, belongs to another user, or is of another type, or is a symbolic link.",
  FEMTO_STATE_MODE: "Others may use or change the state directory.",
  FEMTO_CONFIG_NOT_FOUND: "There is no configuration where it was looked for.",
  FEMTO_CONFIG_SYNTAX: "The configuration is not TOML.",
  FEMTO_CONFIG_INVALID: "A key or value of the configuration is not possible, or a capability's manifest is not valid.",
  FEMTO_CONFIG_UNTRUSTED:
    "The configuration was found, not named, and is not trusted as it is now. Nothing of it was loaded.",
  FEMTO_CONFIG_OWNER: "Somebody else could change a file or folder that decides what is allowed.",
  FEMTO_INTEGRITY_FAILED:
    "The executable, a part of it, its manifest or its signature is not what was built. Nothing was started.",
  FEMTO_INSTALL_REFUSED:
    "An executable is not put in force here: it is not signed, is older, does not fit, or something is in the way.",
  FEMTO_INSTALL_NOT_FOUND: "There is no installation where it was looked for.",
  FEMTO_INSTALL_BUSY: "Another process is changing this installation.",
  FEMTO_INSTALL_CHANGED: "Files that were installed are others by now, so that they are not removed unasked.",
  FEMTO_UPGRADE_FAILED: "The host did not come up with the other executable, and the one before is in force again.",
  FEMTO_SURROUNDINGS:
    "The process was started with less than it needs: too few files that it may open, a folder that is gone, none for temporary files. The message names it.",
  FEMTO_NATIVE_CODE:
    "The database engine has to be loaded from a file, and no folder for temporary files lets code in it be run.",
  FEMTO_PLATFORM_UNSUPPORTED:
    "This system cannot say what a promise rests on, such as whose a file is. Nothing is done with less.",
  FEMTO_POLICY_INVALID:
    "The policy does not compile, does not validate, holds a grant that is wider than it looks, or fails one of its own tests.",
  FEMTO_OVERLOADED: "Too many calls wait already. The refusal is counted, not recorded singly.",
  FEMTO_UNWITNESSED: "Witnesses are required, and one of them has not taken the newest checkpoint in time.",
  FEMTO_SESSION_QUOTA: "The session has recorded more bytes than its share of the journal. The refusal is counted.",
  FEMTO_SESSION_HALTED:
    "The session was halted: by an operator, by a budget, or because more of its calls were refused than its quota holds. Of further calls the refusal is counted.",
  FEMTO_SESSION_NOT_FOUND: "The journal knows no session of this identifier, or has forgotten it since it ended.",
  FEMTO_DRAINING: "The runtime is in a phase in which it takes no calls.",
  FEMTO_HOST_NOT_RUNNING: "No host listens on the socket, or the connection ended before the answer.",
  FEMTO_HOST_SILENT:
    "The kernel takes connections for the process that has the sockets, and that process answers nothing: it was stopped, hangs, or cannot keep up.",
  FEMTO_HOST_RUNNING: "Another host answers on the socket already.",
  FEMTO_RELOAD_RESTART: "The configuration that was to be loaded anew changes more than the policy.",
  FEMTO_ENDPOINT_TAKEN: "The address at which metrics or health are to be served cannot be had.",
  FEMTO_SOCKET_PATH: "The folder of the sockets cannot be used: its path is too long, or it is not private.",
  FEMTO_SOCKET_REQUEST: "A line on a socket is not a request.",
  FEMTO_VERB_UNKNOWN: "The socket does not offer this verb.",
  FEMTO_SUBSYSTEM_LOST: "A subsystem without which nothing may execute failed more often than the limit.",
  FEMTO_USAGE: "The command line cannot be understood.",
  FEMTO_INTERNAL: "A fault of FemtoClaw itself.",
};
