import { CONNECTIONS } from "./connections.ts";
import { HISTORIES } from "./histories.ts";
import { KEPT } from "./kept.ts";
import { LANDLOCKED } from "./landlock.ts";
import { OUTPUTS } from "./outputs.ts";
import { SLICED, UNPLACED } from "./slices.ts";
import { WAITING } from "./waiting.ts";

/**
 * The defences that tests are to prove: each with the change that takes it away, and a part of the title of those cases
 * that have to notice. A case that passes without its defence proves nothing.
 */
export interface Defence {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file once; `to` takes its place. */
  readonly from: string;
  readonly to: string;
  readonly kind: keyof typeof TESTS;
  readonly title: string;
}

/** Which tests have to notice. */
export const TESTS = {
  calls: "packages/host/test/corpus/calls.security.test.ts",
  configurations: "packages/host/test/corpus/configurations.security.test.ts",
  answers: "packages/runtime/test/gate/operators.security.test.ts",
  histories: "packages/runtime/test/history/*.security.test.ts",
  packages: "packages/runtime/test/capability-packages/pins.security.test.ts",
  places: "packages/policy/test/projection/trail.test.ts",
  slices: "packages/policy/test/projection/slices.property.test.ts",
  outputs: "packages/runtime/test/outputs/outputs.security.test.ts",
  landlock: "packages/{sandbox/test/{escapes,landlock},capabilities/test/landlock/terminals}.security.test.ts",
  kept: "packages/sandbox/test/{copied-files,escapes,kept-paths,prepared-child}.security.test.ts",
  waiting:
    "packages/{sandbox,runtime}/test/**/{waiting-children.security,prepared-child.security,orphan-watch.security,journal-failure}.test.ts",
} as const;

const CAPABILITIES = "packages/capabilities/src";
const POLICY = "packages/policy/src";
const SANDBOX = "packages/sandbox/src";
const CONFIGURATION = "packages/runtime/src/configuration";
const ANSWERS = "packages/journal/src/answers";
const GATE = "packages/runtime/src/gate";

export type Row = readonly [name: string, file: string, from: string, to: string, title: string];

const CALLS: readonly Row[] = [
  [
    "the last name of a path is no link",
    `${CAPABILITIES}/facts/path.ts`,
    "const named = holdOpen(path, constants.O_NOFOLLOW, held);",
    "const named = holdOpen(path, 0, held);",
    "a link is where it leads",
  ],
  [
    "a path is what its descriptor is",
    `${CAPABILITIES}/facts/path.ts`,
    "path: canonicalPathOf(named, found, text),",
    "path,",
    "a path that climbs",
  ],
  [
    "processes are no files",
    `${CAPABILITIES}/facts/path.ts`,
    ".type === PROCESS_FILE_SYSTEM",
    ".type === -1",
    "no verb of an operator",
  ],
  [
    "a program is what was decided on",
    `${CAPABILITIES}/facts/program.ts`,
    "  if (found === undefined) return false;",
    "  if (found !== undefined) return true;\n  return false;",
    "a program is a file",
  ],
  [
    "each stage of a pipeline is a question",
    `${CAPABILITIES}/facts/take-facts.ts`,
    "for (const stage of stagesOf(declared, args)) {",
    "for (const stage of stagesOf(declared, args).slice(0, 1)) {",
    "each program of a pipeline",
  ],
  [
    "a folder to run in is visible",
    `${CAPABILITIES}/facts/program.ts`,
    'if (visibility !== "readOnly" && visibility !== "readWrite") {',
    "if (visibility === null) {",
    "a working folder",
  ],
  [
    "a folder is where it was decided on",
    `${CAPABILITIES}/files/held-place.ts`,
    "if (readlinkSync(folder) !== parent.path) throw changed(path);",
    "readlinkSync(folder);",
    "a link is where it leads",
  ],
  [
    "a file is the one that was decided on",
    `${CAPABILITIES}/files/held-place.ts`,
    "return found.dev === device && found.ino === inode ? found : null;",
    "return device === inode ? null : found;",
    "a link is where it leads",
  ],
  [
    "nothing is added to a file with another name",
    `${CAPABILITIES}/files/fs-write.ts`,
    "if (nlink > 1) {",
    "if (nlink > 1e9) {",
    "a second name of a file",
  ],
  [
    "what is denied below a folder is neither named nor entered",
    `${CAPABILITIES}/files/walk.ts`,
    'if (!call.mayReach(entry.path, entry.type === "directory" ? "directory" : "file")) continue;',
    "",
    "decided on path by path",
  ],
  [
    "a walk begins where it was decided on",
    `${CAPABILITIES}/files/walk.ts`,
    "!== root.path) {",
    '=== "") {',
    "decided on path by path",
  ],
  [
    "what is secret is left out below a folder",
    "packages/runtime/src/gate/decisions.ts",
    "if (isKeptFromWalks(path, facts, standing.authority)) return false;",
    "",
    "decided on path by path",
  ],
  [
    "all that a folder holds is decided on when it is moved",
    `${CAPABILITIES}/files/fs-move.ts`,
    'if (type === "directory") await requireMovable(from, target, to, call);',
    "",
    "only where both ends are permitted",
  ],
  [
    "a move never takes the place of anything",
    `${CAPABILITIES}/files/fs-move.ts`,
    "await linkNew(old, next, to);",
    "await rename(old, next);\n  return;",
    "only where both ends are permitted",
  ],
  [
    "folders on the way are asked about",
    `${CAPABILITIES}/facts/path.ts`,
    'const questions = paths.map((one) => questionOf(one, "missing"));',
    'const questions = paths.slice(-1).map((one) => questionOf(one, "missing"));',
    "only where both ends are permitted",
  ],
  [
    "a permit binds the file behind the name",
    `${POLICY}/tables/rules.ts`,
    `const conditions = [\`context.real_path == \${literal(realPath)}\`];`,
    'const conditions = ["true"];',
    "a program is a file",
  ],
  [
    "every option has to be listed",
    `${POLICY}/tables/rules.ts`,
    ', onlyAmong("flags", use.flags));',
    ");",
    "options that execute",
  ],
  [
    "a word behind an option is unknown",
    `${POLICY}/tables/rules.ts`,
    'const unknown = "(!(context has word) && context.arguments > 0)";',
    'const unknown = "false";',
    "what is denied stays denied",
  ],
  [
    "an option has parts",
    "packages/protocol/src/grants/flag-facts.ts",
    "return [argument, ...flagParts(argument)];",
    "return [argument];",
    "what is denied stays denied",
  ],
  [
    "some variables are never set",
    `${POLICY}/tables/environment.ts`,
    "  const upper = name.toUpperCase();",
    '  const upper = name.toUpperCase();\n  if (upper !== "") return false;',
    "a call sets no variable",
  ],
  [
    "own files are out of reach of calls",
    `${POLICY}/tables/rules.ts`,
    "condition: among(floor)",
    'condition: among(["/nowhere"])',
    "does not write what it is judged by",
  ],
  [
    "files obeyed later are out of reach of calls",
    `${POLICY}/tables/rules.ts`,
    "condition: among(obeyedLaterPaths(authority), namedRepositoryParts(authority)),",
    'condition: among(["/nowhere"]),',
    "does not write what tools obey",
  ],
  [
    "files obeyed later are read-only to programs",
    `${SANDBOX}/views/view-planner.ts`,
    "    this.#guardObeyedLater();",
    "",
    "does not write what tools obey",
  ],
  [
    "denied writes are read-only to programs",
    `${SANDBOX}/views/view-planner.ts`,
    "for (const grant of [...ask.write, ...deny.write]) this.#keepReadOnly(grant);",
    "",
    "permitted programs cannot read",
  ],
  [
    "no key stands twice",
    "packages/protocol/src/json/strict-json.ts",
    "if (Object.hasOwn(object, key)) {",
    'if (key === "\\0") {',
    "to the byte",
  ],
  [
    "a denied name means all programs of the name",
    `${CONFIGURATION}/resolve-programs.ts`,
    'place.at(-2) === "allow" ? found.programs.slice(0, 1) : found.programs',
    "found.programs.slice(0, 1)",
    "what is denied stays denied",
  ],
  [
    "a denied program is its file, whatever it is called",
    `${CONFIGURATION}/resolve-programs.ts`,
    "return a?.dev === b?.dev && a?.ino === b?.ino;",
    "return a === b;",
    "what is denied stays denied",
  ],
  [
    "a private address is reached only where it is named",
    `${POLICY}/tables/fetch-rules.ts`,
    '["loopback", "private"]',
    '["private"]',
    "a request goes where",
  ],
  [
    "no name leads to a special address",
    `${POLICY}/tables/fetch-rules.ts`,
    "addresses: among(named.filter(isAddress)),",
    "addresses: among(named),",
    "a request goes where",
  ],
  [
    "what no entry lists is not reached",
    `${POLICY}/tables/fetch-rules.ts`,
    '["unresolved"], listed',
    '["multicast"], listed',
    "a request goes where",
  ],
  [
    "a denied address is denied under every name",
    `${POLICY}/tables/fetch-rules.ts`,
    ` || context.addresses.contains(\${address})`,
    "",
    "a request goes where",
  ],
  [
    "IPv4 addresses hidden in IPv6 are not public",
    `${CAPABILITIES}/facts/network-of.ts`,
    'return family === "ipv4" || (GLOBAL_IPV6.check(address, "ipv6") && !address.includes(".")) ? "public" : "reserved";',
    'return GLOBAL_IPV6 === null ? "reserved" : "public";',
    "a request goes where",
  ],
  [
    "of several addresses the least public counts",
    `${CAPABILITIES}/facts/network-of.ts`,
    "new Set(addresses.map(networkOf))",
    "new Set(addresses.slice(0, 1).map(networkOf))",
    "a request goes where",
  ],
  [
    "only what was decided on is dialled",
    `${CAPABILITIES}/network/pinned-connector.ts`,
    "way.begin({ host: address,",
    'way.begin({ host: "nowhere.invalid",',
    "a request goes where",
  ],
  [
    "a redirect goes where it is permitted",
    "packages/runtime/src/gate/effects/hops.ts",
    "if (allowed && !execution",
    "if (!execution",
    "a request goes where",
  ],
  [
    "some headers are not for a call to set",
    `${CAPABILITIES}/facts/host.ts`,
    "if (RESERVED_HEADERS.test(name))",
    'if (name === "\\0")',
    "a request goes where",
  ],
];

const CONFIGURATIONS: readonly Row[] = [
  [
    "no call writes where programs are looked up",
    `${CONFIGURATION}/check-authority.ts`,
    "  checkLookedUp(authority, places);",
    "",
    "no grant undoes",
  ],
  [
    "no call changes the gate's own program",
    `${CONFIGURATION}/check-authority.ts`,
    "  checkOwnPrograms(authority, ownPrograms, places);",
    "",
    "no grant undoes",
  ],
  [
    "a program that runs other code says so",
    `${POLICY}/tables/lint.ts`,
    "  if (danger === null) return [];",
    "  if (danger !== undefined) return [];",
    "a program that runs other code",
  ],
  [
    "a project that was found is trusted first",
    "packages/host/src/configuration/load-configuration.ts",
    "if (needsTrust) new",
    "if (needsTrust === null) new",
    "brings no authority",
  ],
];

const SIGNED: readonly Row[] = [
  [
    "an answer is what was signed",
    `${ANSWERS}/signed-answer.ts`,
    "return verify(null, Buffer.from(answerText(statement)), verifier.publicKey, bytes.subarray(KEY_ID_BYTES));",
    "return true;",
    "of a stranger, or edited",
  ],
  [
    "an answer is for one log",
    `${GATE}/questions/answers.ts`,
    "if (signedFor !== log) throw",
    'if (signedFor === "") throw',
    "not in another log",
  ],
  [
    "an answer has its time",
    `${GATE}/questions/answers.ts`,
    "if (nowUs >= Date.parse(expiresAt) * 1_000) throw",
    "if (nowUs < 0) throw",
    "is nothing when it is late",
  ],
  [
    "several are several keys",
    `${GATE}/questions/questions.ts`,
    'if (answer === "granted" && call.granted.includes(signed?.vkey ?? vouched.by)) {',
    "if (call.granted.length < 0) {",
    "never counts as two",
  ],
  [
    "one of several signs",
    `${GATE}/questions/answers.ts`,
    'if (answer === "granted" && approvers > 1) throw',
    "if (approvers < 1) throw",
    "never counts as two",
  ],
  [
    "a yes counts as long as its key",
    "packages/runtime/src/projection/open-questions.ts",
    "question.granted.filter(counts)",
    "[...question.granted]",
    "a key that is in force no more",
  ],
  [
    "one key is one operator",
    `${CONFIGURATION}/resolve-operators.ts`,
    "publicKey.equals(operator.publicKey)",
    "publicKey === null",
    "one key under two names",
  ],
];

const PACKAGES: readonly Row[] = [
  [
    "what runs is what its intent names",
    `${GATE}/steps.ts`,
    "const isOther = registered !== undefined && (registered.codeSha256 ?? null) !== execution.codeSha256;",
    'const isOther = registered?.codeSha256 === "";',
    "between the record of an intent and the effect",
  ],
];

const rows = (kind: Defence["kind"], all: readonly Row[]): Defence[] =>
  all.map(([name, file, from, to, title]) => ({ name, file, from, to, kind, title }));

export const DEFENCES: readonly Defence[] = [
  ...rows("calls", [...CALLS, ...CONNECTIONS]),
  ...rows("configurations", CONFIGURATIONS),
  ...rows("answers", SIGNED),
  ...rows("histories", HISTORIES),
  ...rows("packages", PACKAGES),
  ...rows("places", UNPLACED),
  ...rows("slices", SLICED),
  ...rows("landlock", LANDLOCKED),
  ...rows("kept", KEPT),
  ...rows("outputs", OUTPUTS),
  ...rows("waiting", WAITING),
];
