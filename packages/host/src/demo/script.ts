/** The scripted agent of the demo: what a model might propose, written in advance. */
import type { DecisionCode, ErrorType } from "@femtoclaw/protocol";

export interface ScriptStep {
  /** What the step is meant to show. */
  readonly title: string;
  /** The exact text that goes to the runtime. */
  readonly text: string;
  readonly expected: DecisionCode | ErrorType | "RECORDED" | "APPROVAL_REQUIRED";
}

function toolCall(tool: string, args: Record<string, unknown>): string {
  return JSON.stringify({ tool_call: { tool, args } });
}

export const SCRIPT: readonly ScriptStep[] = [
  {
    title: "a message, to be kept and never executed",
    text: JSON.stringify({ message: { content: "I will write a greeting and read it back." } }),
    expected: "RECORDED",
  },
  {
    title: "a program that the policy allows",
    text: toolCall("process_exec", { bin: "echo", argv: ["hello from inside the sandbox"] }),
    expected: "AUTHORIZED",
  },
  {
    title: "a new file in the folder that may be written",
    text: toolCall("fs_write", { path: "out/greeting.txt", content: "hello, world\n", mode: "create" }),
    expected: "AUTHORIZED",
  },
  {
    title: "the same file, read back",
    text: toolCall("fs_read", { path: "out/greeting.txt" }),
    expected: "AUTHORIZED",
  },
  {
    title: "a folder that is denied",
    text: toolCall("fs_read", { path: "secrets/token.txt" }),
    expected: "DENIED_POLICY_VIOLATION",
  },
  {
    title: "the same secret through an allowed program: decided yes, but the sandbox does not show it",
    text: toolCall("process_exec", { bin: "cat", argv: ["secrets/token.txt"] }),
    expected: "AUTHORIZED",
  },
  {
    title: "a shell, which nothing allows",
    text: toolCall("process_exec", { bin: "sh", argv: ["-c", "id"] }),
    expected: "DENIED_POLICY_VIOLATION",
  },
  {
    title: "a capability that nobody enabled",
    text: toolCall("fs_list", { path: "." }),
    expected: "DENIED_CAPABILITY_DISABLED",
  },
  {
    title: "a tool that does not exist",
    text: toolCall("delete_everything", {}),
    expected: "DENIED_CAPABILITY_NOT_FOUND",
  },
  {
    title: "arguments that do not fit",
    text: toolCall("fs_read", { file: "out/greeting.txt" }),
    expected: "DENIED_ARGUMENT_INVALID",
  },
  {
    title: "a message that could be read in two ways",
    text: '{"message":{"content":"hi"},"tool_call":{"tool":"fs_read","args":{"path":"out/greeting.txt"}}}',
    expected: "ProtocolError",
  },
  {
    title: "a program that an operator is asked about first: the call waits",
    text: toolCall("process_exec", { bin: "date", argv: ["+%Y"] }),
    expected: "APPROVAL_REQUIRED",
  },
];

export const DEMO_CONFIGURATION = `# Written anew by each \`femtoclaw demo\`. Nothing is allowed that is not named here.
workspace = "workspace"

[capabilities]            # fs_list is not named, so it stays disabled
process_exec = true
fs_read = true
fs_write = true

[allow]
read  = ["workspace"]
write = ["workspace/out"]
run   = { echo = ["*"], cat = ["*"] }

[ask]                     # allowed only after an operator says yes
run   = { date = ["*"] }

[deny]
read  = ["workspace/secrets"]

[memory]
path = "state"
`;
