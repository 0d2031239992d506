/** A home with capability packages that are written down as a test needs them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CapabilityManifest, Configuration, Reply } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { call, Home, manifestOf, type StartOptions } from "../runtime-fixture.ts";

export interface PackageText {
  /** Body of `run`, which is given `args`, `files` and `put`. */
  readonly run?: string;
  /** What stands in front of it. */
  readonly before?: string;
  readonly manifest?: Partial<CapabilityManifest>;
  readonly files?: Readonly<Record<string, string>>;
}

type Table = Exclude<NonNullable<Configuration["capabilities"]>[string], boolean>;

export class PackagePlace extends Home implements AsyncDisposable {
  readonly #tables = new Map<string, Table>();
  #runtime: Runtime | null = null;

  /** Where the package of that name lies. */
  at(name: string, file = ""): string {
    return join(this.root, "kit", name, file);
  }

  /** Writes a package and names it in the configuration of the next start. */
  add(
    name: string,
    { run = "return {};", before = "", manifest = {}, files = {} }: PackageText,
    table: Table = {},
  ): void {
    const code = `${before}\nexport default { async run({ args, files, put }) {\n${run}\n} };\n`;
    const all = {
      "capability.json": JSON.stringify(packagedManifest(name, manifest)),
      "package.json": '{"type":"module","main":"main.js"}',
      "main.js": code,
      ...files,
    };
    for (const [file, text] of Object.entries(all)) {
      mkdirSync(dirname(this.at(name, file)), { recursive: true });
      writeFileSync(this.at(name, file), text);
    }
    this.#tables.set(name, { package: this.at(name), pins: "first_use", ...table });
  }

  /** The packages, and nothing else, unless options say so. Packages without a resource are permitted by their names. */
  async open({ configuration = {}, permit, ...options }: StartOptions = {}): Promise<Runtime> {
    await this.#runtime?.close();
    const capabilities = { ...Object.fromEntries(this.#tables), ...configuration.capabilities };
    this.#runtime = await this.start({
      configuration: { allow: { read: ["workspace"], write: ["workspace/out"] }, ...configuration, capabilities },
      permit:
        permit ?? [...this.#tables].flatMap(([name, { package: path }]) => (path === this.at(name) ? [name] : [])),
      ...options,
    });
    return this.#runtime;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runtime?.close();
    this.remove();
  }
}

function packagedManifest(name: string, changes: Partial<CapabilityManifest>): CapabilityManifest {
  const input = {
    type: "object",
    additionalProperties: false,
    properties: { path: { type: "string" }, n: { type: "integer" } },
  };
  return manifestOf(name, { input, idempotent: true, ...changes });
}

export async function proposed(runtime: Runtime, name: string, args: Record<string, unknown> = {}): Promise<Reply> {
  await using session = runtime.openSession({ channel: "library" });
  return await session.propose(call(name, args));
}

/** What a reply says in one line. */
export function told({ status, result, error }: Reply): string {
  return error === undefined ? `${status}: ${JSON.stringify(result)}` : `${error.code}: ${error.reason}`;
}
