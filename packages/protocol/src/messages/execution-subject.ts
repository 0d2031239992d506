/** What an execution is about, in one line of a list: the path, the program with its arguments, or the message. */
import { jsonPointer } from "../json/json-pointer.ts";
import type { TypedRecord } from "./records.ts";

/** LIMIT: characters of a line in a list. */
const SUBJECT_CHARS = 400;

/** A page in a browser and a program of Node.js read JSON in different ways. */
type Parse = (text: string) => unknown;

export function subjectOf({ type, body, commitments }: TypedRecord, parse: Parse): string {
  const beside: Beside = new Map((commitments ?? []).map(({ path, bytes }) => [path, bytes]));
  if (type === "message.recorded") {
    return body.content === null ? written(null, "/content", beside) : body.content.slice(0, SUBJECT_CHARS);
  }
  if (type === "execution.refused") return headOf(body.request.head, parse);
  if (type !== "execution.intent" && type !== "approval.asked") return "";
  return argumentsLine(body.args, beside);
}

/** Bytes of the values that are kept beside a record, by their places in its body. */
type Beside = ReadonlyMap<string, number>;

/**
 * A value as JSON, or the size of what is not in the record, where a null stands. Without quotation marks the size
 * cannot be taken for a text of the value.
 */
function written(value: unknown, path: string, beside: Beside): string {
  const bytes = beside.get(path);
  return bytes === undefined ? JSON.stringify(value) : `(${bytes.toLocaleString("en")} bytes beside the record)`;
}

/** Of a refused request, the record holds only the beginning of its text. */
function headOf(head: string, parse: Parse): string {
  try {
    const { tool_call: call } = parse(head) as { tool_call?: { args?: Record<string, unknown> } };
    // Where there is no argument, the text is all that there is to see.
    if (call?.args !== undefined) return argumentsLine(call.args, new Map()) || head.slice(0, SUBJECT_CHARS);
  } catch {
    // It was cut, or was not JSON; then the text is shown as it is.
  }
  return head.slice(0, SUBJECT_CHARS);
}

function argumentsLine(args: Readonly<Record<string, unknown>> | null, beside: Beside): string {
  if (args === null) return beside.size === 0 ? "" : written(args, "/args", beside);
  const { bin, argv, path } = args;
  if (typeof bin === "string") {
    const words = Array.isArray(argv)
      ? argv.map((word, index) =>
          typeof word === "string" && /^[\w./:=+-]+$/.test(word) ? word : written(word, `/args/argv/${index}`, beside),
        )
      : [];
    return [bin, ...words].join(" ").slice(0, SUBJECT_CHARS);
  }
  if (typeof path === "string") return path.slice(0, SUBJECT_CHARS);
  // The identifier of a terminal says least and fills the line, so that what is typed would be cut.
  const { terminal_id, ...others } = args;
  const ordered = terminal_id === undefined ? args : { ...others, terminal_id };
  const members = Object.entries(ordered).map(
    ([name, value]) => `${JSON.stringify(name)}:${written(value, `/args${jsonPointer([name])}`, beside)}`,
  );
  return members.length === 0 ? "" : `{${members.join()}}`.slice(0, SUBJECT_CHARS);
}
