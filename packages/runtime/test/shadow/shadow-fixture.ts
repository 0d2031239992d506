/** Runtimes with rules on trial beside those in force, and what their records say of both. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileRule } from "@femtoclaw/policy";
import type { Configuration, Reply, ShadowVerdict } from "@femtoclaw/protocol";
import type { PolicyFilesOption, Runtime } from "@femtoclaw/runtime";
import { isDecided } from "@femtoclaw/runtime/redecide";
import { onTestFinished } from "vitest";
import { call, type Home, recordsOf, type StartOptions, temporaryHome } from "../runtime-fixture.ts";

export const BY = "uid:0";

/** A folder `data` with a small file, a large one and a secret one. */
export async function place(options: StartOptions): Promise<{ home: Home; runtime: Runtime }> {
  const home = temporaryHome();
  for (const folder of ["data", "secrets"]) mkdirSync(join(home.root, folder));
  writeFileSync(join(home.root, "data/small"), "s");
  writeFileSync(join(home.root, "data/large"), "l".repeat(2_000));
  writeFileSync(join(home.root, "secrets/key"), "k");
  const runtime = await home.start(options);
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return { home, runtime };
}

export function fileRule(id: string, text: string, more: Partial<FileRule> = {}): FileRule {
  return { id: `file/t/${id}`, text, source: "t.cedar:1:1", reason: id, paths: [], hidden: [], kept: [], ...more };
}

export const PERMIT_ALL = fileRule("all", "permit (principal, action, resource);");

/** Beside the tables in force, nothing but these files on trial. */
export const onTrial = (...rules: readonly FileRule[]): PolicyFilesOption => ({
  rules: [],
  triedRevision: null,
  shadow: { rules, triedRevision: null },
});

export const read = (home: Home, name: string) => call("fs_read", { path: join(home.root, "data", name) });

export const READING: Configuration = { capabilities: { fs_read: true }, shadow: {}, allow: { read: ["data"] } };

/** What was decided about each call, and what the rules on trial said of it. */
export async function verdictsOf(runtime: Runtime): Promise<[type: string, shadow: ShadowVerdict | undefined][]> {
  return (await recordsOf(runtime.reader)).filter(isDecided).map(({ type, body }) => [type, body.shadow]);
}

/** A reply without what is another one each time, and each place; records are counted from one of them. */
export function plain(reply: Reply, root: string, from = 0): unknown {
  const { execution_id: _, approval, policy, record, ...rest } = reply;
  const [seq, asked] = [record?.seq ?? null, approval?.id ?? null].map((at) =>
    at === null ? null : Number(at) - from,
  );
  const hidden = (key: string, value: unknown): unknown => (key === "timestamp" ? undefined : value);
  const said = JSON.stringify({ ...rest, rules: policy?.rules, seq, asked }, hidden);
  const alike = said.replaceAll(root, "ROOT").replaceAll(/policy why \d+`/g, "policy why RECORD`");
  return JSON.parse(alike) as unknown;
}
