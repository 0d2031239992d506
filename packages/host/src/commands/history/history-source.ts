/** Reads history from the running host, or from the journal itself if no host runs. */
import type { ExecutionHistory, ExecutionView } from "@femtoclaw/protocol";
import type { HistoryQuery } from "@femtoclaw/runtime";
import type { CommandContext } from "../command-context.ts";
import { hostAnswers } from "../host/host.ts";

export interface HistorySource extends AsyncDisposable {
  list(query: HistoryQuery): Promise<readonly ExecutionView[]>;
  show(id: string): Promise<ExecutionHistory>;
}

export async function executionsOf(context: CommandContext): Promise<HistorySource> {
  if (await hostAnswers(context)) {
    const operator = await context.operator();
    return {
      list: (query) => operator.executions(query),
      show: (id) => operator.execution(id),
      [Symbol.asyncDispose]: () => operator.close(),
    };
  }
  return await journalHistory(context);
}

/** Loads the modules that read a journal only here, because a running host reads its journal itself. */
async function journalHistory(context: CommandContext): Promise<HistorySource> {
  const { executionNamed, listExecutions, notFound, showExecution } = await import("@femtoclaw/runtime");
  const { readJournal } = await import("../../log/read-journal.ts");
  const journal = await readJournal(context.load().resolved.stateDirectory);
  return {
    list: (query) => listExecutions(journal.reader, query),
    show: async (ref) => {
      const id = await executionNamed(journal.reader, ref);
      const shown = await showExecution(journal.reader, id);
      if (shown !== null) return { ...shown.view, records: shown.records };
      throw await notFound(journal.reader, id);
    },
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}
