/** Opens the log of the page: from the local server that served the page, or from the exported file itself. */
import type { TypedRecord } from "@femtoclaw/protocol";
import type { ExportedLog } from "../src/exported-page.ts";
import type { Inspection } from "../src/inspection.ts";

/** Nothing will be answered: this tab has no session, or the ticket with which to begin one was used before. */
export class NoSession extends Error {
  readonly why: "used" | "elsewhere";

  constructor(why: NoSession["why"]) {
    super(why);
    this.why = why;
  }
}

export async function openSource(): Promise<Inspection> {
  const data = document.getElementById("data")?.textContent;
  return data === undefined || data === null ? await served() : embedded(JSON.parse(data) as ExportedLog);
}

const SESSION = "femtoclaw.session";

/** The session is kept for this tab and this address alone; a cookie would go to every port of this machine. */
async function served(): Promise<Inspection> {
  const ticket = location.hash.slice(1);
  if (ticket !== "" && !ticket.startsWith("/")) {
    history.replaceState(null, "", "/#/");
    const { session } = (await asked("session", { ticket })) as { session: string };
    sessionStorage.setItem(SESSION, session);
  }
  const get = async <Value>(path: string): Promise<Value> => (await asked(path)) as Value;
  return {
    begin: () => get("begin"),
    records: (from) => get(`records?from=${from}`),
    status: () => get("status"),
    body: (seq) => get(`bodies/${seq}`),
    explain: (ref) => get(`explanations/${encodeURIComponent(ref)}`),
    prove: (seq) => get(`proofs/${seq}`),
    questions: () => get("questions"),
    answer: async (answer) => (await asked("answers", answer)) as { seq: number; complete: boolean },
  };
}

async function asked(path: string, body?: object): Promise<unknown> {
  const session = sessionStorage.getItem(SESSION) ?? "";
  const response = await fetch(`/v1/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${session}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const value = (await response.json()) as { reason?: string; fix?: string };
  if (response.ok) return value;
  if (response.status === 401) throw new NoSession(path === "session" ? "used" : "elsewhere");
  throw new Error([value.reason, value.fix].filter(Boolean).join(". "));
}

/** An exported file contains everything that it shows. */
function embedded({ beginning, records, explanations }: ExportedLog): Inspection {
  const size = (records.at(-1)?.seq ?? (beginning.summary?.size ?? 0) - 1) + 1;
  const from = (seq: number): readonly TypedRecord[] => records.filter((record) => record.seq >= seq);
  return {
    begin: async () => beginning,
    records: async (seq) => ({ size, records: from(seq) }),
    status: async () => null,
    body: async () => null,
    explain: async (ref) => explanations[ref] ?? null,
    prove: async () => null,
    questions: async () => [],
    answer: async () => {
      throw new Error("a file takes no answers");
    },
  };
}
