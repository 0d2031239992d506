/**
 * Types for what is used of the peers' packages, which are installed for a measurement only: their own types are
 * missing when the sources are checked.
 */
declare module "@restatedev/restate-sdk" {
  export interface Context {
    run<Result>(name: string, action: () => Promise<Result>): Promise<Result>;
  }
  export interface Service {
    readonly name: string;
  }
  export function service<Input, Result>(definition: {
    readonly name: string;
    readonly handlers: Readonly<Record<string, (context: Context, input: Input) => Promise<Result>>>;
  }): Service;
  export function serve(options: { readonly services: readonly Service[]; readonly port: number }): Promise<number>;
}

declare module "@dbos-inc/dbos-sdk" {
  type Workflow<Input, Result> = (input: Input) => Promise<Result>;
  export const DBOS: {
    setConfig(config: {
      readonly name: string;
      readonly systemDatabaseUrl: string;
      readonly logLevel: string;
      readonly applicationVersion: string;
    }): void;
    registerWorkflow<Input, Result>(
      workflow: Workflow<Input, Result>,
      options: { readonly name: string },
    ): Workflow<Input, Result>;
    runStep<Result>(step: () => Promise<Result>, options: { readonly name: string }): Promise<Result>;
    launch(): Promise<void>;
    startWorkflow<Input, Result>(
      workflow: Workflow<Input, Result>,
      options: { readonly workflowID: string },
    ): (input: Input) => Promise<{ getResult(): Promise<Result> }>;
    getWorkflowStatus(id: string): Promise<{ readonly status: string } | null>;
  };
}

declare module "bullmq" {
  interface Options {
    readonly connection: { readonly path: string; readonly maxRetriesPerRequest: null };
  }
  export class Queue<Data> {
    constructor(name: string, options: Options);
    waitUntilReady(): Promise<unknown>;
    add(name: string, data: Data, options: { readonly jobId: string }): Promise<unknown>;
    getJob(id: string): Promise<{ getState(): Promise<string> } | undefined>;
  }
  export class QueueEvents {
    constructor(name: string, options: Options);
    waitUntilReady(): Promise<unknown>;
    setMaxListeners(count: number): this;
    on(event: "completed", listener: (news: { readonly jobId: string }) => void): this;
    on(event: "failed", listener: (news: { readonly jobId: string; readonly failedReason: string }) => void): this;
  }
  export class Worker<Data> {
    constructor(
      name: string,
      work: (job: { readonly data: Data }) => Promise<unknown>,
      options: Options & {
        readonly concurrency: number;
        readonly lockDuration?: number;
        readonly stalledInterval?: number;
      },
    );
    waitUntilReady(): Promise<unknown>;
  }
}

declare module "@langchain/langgraph-checkpoint-sqlite" {
  export class SqliteSaver {
    static fromConnString(path: string): SqliteSaver;
    readonly db: { pragma(text: string): unknown };
    setup(): void;
  }
}

declare module "@langchain/langgraph" {
  import type { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";

  export const START: "__start__";
  export const END: "__end__";
  export interface Channel<Value> {
    readonly value: Value;
  }
  export interface State<Values> {
    readonly values: Values;
  }
  export const Annotation: {
    <Value>(): Channel<Value>;
    Root<Values>(channels: { readonly [Name in keyof Values]: Channel<Values[Name]> }): State<Values>;
  };
  interface Thread {
    readonly configurable: { readonly thread_id: string };
  }
  interface Graph<Values> {
    invoke(input: Partial<Values> | null, options: Thread & { readonly durability: "sync" }): Promise<Values>;
    getState(thread: Thread): Promise<{ readonly values: Partial<Values>; readonly next: readonly string[] }>;
  }
  export class StateGraph<Values> {
    constructor(state: State<Values>);
    addNode(name: string, node: (values: Values) => Promise<Partial<Values>>): this;
    addEdge(from: string, to: string): this;
    compile(options: { readonly checkpointer: SqliteSaver }): Graph<Values>;
  }
}
