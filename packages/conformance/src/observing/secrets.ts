/** Feeds secrets into a deployment in several ways and searches everything that it writes for them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { failed, type Place } from "../subject.ts";
import { callOf } from "./call.ts";
import { sendAll } from "./calls.ts";

/** Assembled at run time, so that no secret scanner takes them for real ones. */
const token = (door: number): string => `ghp${"_"}${String(door).padStart(4, "0")}${"Zq7".repeat(12)}`;
const CANARIES: Readonly<Record<string, string>> = {
  "an argument": token(1),
  "a message": token(2),
  "a file that was read": token(3),
  "a program's output": token(4),
  "a variable of a call": `plain-${"value"}-7741-of-a-variable`,
  "a refused message": token(5),
};

export async function sendSecrets(place: Place): Promise<void> {
  const { "an argument": argument, "a message": message, "a variable of a call": variable } = CANARIES;
  place.write("p/token-file.txt", `token ${CANARIES["a file that was read"]}\n`);
  place.write("p/token-output.txt", `token ${CANARIES["a program's output"]}\n`);
  const calls = [
    await callOf(place, "process_exec", { bin: "echo", argv: [argument] }),
    await callOf(place, "process_exec", { bin: "echo", argv: [], env: { CANARY: variable } }),
    await callOf(place, "fs_read", { path: "token-file.txt" }),
    await callOf(place, "process_exec", { bin: "cat", argv: ["token-output.txt"] }),
  ];
  const replies = await sendAll(place, [
    JSON.stringify({ message: { content: message } }),
    `{"mesage":"${CANARIES["a refused message"]}"}`,
  ]);
  const seqs = [...calls.map(({ seq }) => seq), ...replies.map(({ record }) => record?.seq ?? null)];
  const recorded = seqs.filter((seq) => seq !== null).length;
  // What never went in could not come out.
  if (recorded !== Object.keys(CANARIES).length) throw failed(`of six secrets that went in, ${recorded} have a record`);
}

/** The ways by which those secrets came in that are found in the folders' files or in the texts. */
export function leaksIn(folders: readonly string[], texts: readonly string[]): string[] {
  const contents = [
    ...texts,
    ...folders.flatMap((folder) => filesBelow(folder).map((path) => readFileSync(path, "latin1"))),
  ];
  return Object.entries(CANARIES)
    .filter(([, secret]) => contents.some((content) => content.includes(secret)))
    .map(([door]) => door);
}

/** The disk reserve is skipped: it is a hundred megabytes of zeros. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "reserve")
    .map((entry) => join(entry.parentPath, entry.name));
}
