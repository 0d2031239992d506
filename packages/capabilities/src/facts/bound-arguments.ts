/**
 * What the facts resolved, held open until the call is over. Effects reach files and programs through this alone, so
 * that what is used is what was decided on.
 */
import assert from "node:assert/strict";
import type { Terminal } from "../terminal/terminal.ts";

/** A folder held open, and its canonical path at that time. */
export interface HeldFolder {
  readonly descriptor: number;
  readonly path: string;
}

/** A file or folder by identity. As long as the descriptor is open, the numbers mean this very file. */
export interface HeldFile {
  readonly descriptor: number;
  readonly device: bigint;
  readonly inode: bigint;
}

export interface BoundPath {
  readonly kind: "path";
  /** Canonical, absolute. */
  readonly path: string;
  readonly type: "file" | "directory" | "missing";
  /** Null if the path does not exist. */
  readonly target: HeldFile | null;
  /** For an argument that may create something: the folder in which the name stands. */
  readonly parent: (HeldFolder & { readonly leaf: string }) | null;
  /** Missing names below the leaf, outermost first; the call may create all of them as folders. */
  readonly further: readonly string[];
}

/** Changes whenever a file's content or place changes. */
export interface FileVersion {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
}

export interface BoundProgram {
  readonly kind: "program";
  /** The path by which the search path finds it. */
  readonly path: string;
  readonly realPath: string;
  readonly version: FileVersion;
  readonly sha256: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Canonical. */
  readonly cwd: string;
}

/** An open terminal of the call's own session. */
export interface BoundTerminal {
  readonly kind: "terminal";
  readonly id: string;
  readonly terminal: Terminal;
  /** The question to operators whose approval opened it, which also approves its use; null if nobody was asked. */
  readonly approval: number | null;
}

export interface BoundHost {
  readonly kind: "host";
  readonly scheme: "http" | "https";
  /** Canonical; an IPv6 address stands in brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query, as they are sent. */
  readonly target: string;
  /** The only addresses that may be dialled, in the order in which they were found. */
  readonly addresses: readonly string[];
  /** Stored secrets to which the headers refer, all of them bound to this very host. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** A tool of an MCP server, by the digest of its definition. */
export interface BoundMcpTool {
  readonly kind: "mcp_tool";
  readonly definition: string;
}

export type BoundArgument = BoundPath | BoundProgram | BoundTerminal | BoundHost | BoundMcpTool;

/** The resources named by the arguments of one call, held open as they were decided on. */
export class BoundArguments implements AsyncDisposable {
  readonly #byPointer: ReadonlyMap<string, BoundArgument>;
  readonly #held: DisposableStack;

  /** Takes ownership of the descriptors that `held` closes. */
  constructor(byPointer: ReadonlyMap<string, BoundArgument>, held: DisposableStack) {
    this.#byPointer = byPointer;
    this.#held = held;
  }

  /** The path that the manifest declares under this pointer. */
  path(pointer: string): BoundPath {
    const bound = this.#byPointer.get(pointer);
    assert(bound?.kind === "path", `the manifest declares a path at ${pointer}`);
    assert(!this.#held.disposed, "bound arguments are used only during their call");
    return bound;
  }

  /** The programs of the call in the order of its pipeline, or its only program. */
  get programs(): readonly [BoundProgram, ...BoundProgram[]] {
    const [first, ...others] = this.all.filter((bound) => bound.kind === "program");
    assert(first !== undefined, "the manifest declares a program");
    return [first, ...others];
  }

  /** The terminal that the manifest declares under this pointer. */
  terminal(pointer: string): BoundTerminal {
    const bound = this.#byPointer.get(pointer);
    assert(bound?.kind === "terminal", `the manifest declares a terminal at ${pointer}`);
    return bound;
  }

  /** The host that the manifest declares under this pointer. */
  host(pointer: string): BoundHost {
    const bound = this.#byPointer.get(pointer);
    assert(bound?.kind === "host", `the manifest declares a host at ${pointer}`);
    assert(!this.#held.disposed, "bound arguments are used only during their call");
    return bound;
  }

  /** The tool of an MCP server that the manifest declares. */
  mcpTool(): BoundMcpTool {
    const bound = this.#byPointer.get("");
    assert(bound?.kind === "mcp_tool", "the manifest declares a tool of an MCP server");
    return bound;
  }

  /** In the order in which the manifest declares them. */
  get all(): readonly BoundArgument[] {
    assert(!this.#held.disposed, "bound arguments are used only during their call");
    return [...this.#byPointer.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#held.dispose();
  }
}
