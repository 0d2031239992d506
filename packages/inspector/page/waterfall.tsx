/** How the time of one call was spent, according to its records. */
import type { TypedRecord } from "@femtoclaw/protocol";
import { took } from "./text.tsx";

interface Part {
  readonly name: string;
  readonly us: number;
  readonly tone: string;
}

function partsOf(records: readonly TypedRecord[]): Part[] {
  const parts: Part[] = [];
  const time = (record: TypedRecord): number => Date.parse(record.at) * 1_000;
  let asked: TypedRecord | undefined;
  let intent: (TypedRecord & { type: "execution.intent" }) | undefined;
  for (const record of records) {
    if (record.type === "approval.asked") asked = record;
    if (record.type === "approval.answered" && asked !== undefined) {
      parts.push({ name: "waited for an operator", us: time(record) - time(asked), tone: "waiting" });
      asked = record;
    }
    if (record.type === "execution.intent") {
      intent = record;
      const began = asked === undefined ? record.body.received_us : record.mono_us - (time(record) - time(asked));
      parts.push({ name: "queued, checked and decided", us: Math.max(0, record.mono_us - began), tone: "message" });
    }
    if (record.type === "execution.outcome" && intent !== undefined && intent.boot === record.boot) {
      const { duration_us: ran } = record.body;
      parts.push({ name: "intent made durable", us: Math.max(0, record.mono_us - intent.mono_us - ran), tone: "kept" });
      parts.push({ name: "ran", us: ran, tone: "running" });
    }
  }
  return parts;
}

export function Waterfall({ records }: { readonly records: readonly TypedRecord[] }) {
  const parts = partsOf(records);
  const whole = parts.reduce((sum, { us }) => sum + us, 0);
  if (whole === 0) {
    const isWaiting = records.at(-1)?.type === "approval.asked";
    return (
      <p class="calm">
        {isWaiting ? "It waits for an operator." : "It has one record, so there is no duration to show."}
      </p>
    );
  }
  let before = 0;
  return (
    <ol class="waterfall">
      {parts.map(({ name, us, tone }) => {
        const left = (before / whole) * 100;
        before += us;
        return (
          <li key={name}>
            <span class="name">{name}</span>
            <span class="lane">
              <span
                class={`bar ${tone}`}
                style={{ left: `${left}%`, width: `${Math.max((us / whole) * 100, 0.8)}%` }}
              />
            </span>
            <span class="number">{took(us)}</span>
          </li>
        );
      })}
      <li class="sum">
        <span class="name">all together</span>
        <span class="lane" />
        <span class="number">{took(whole)}</span>
      </li>
    </ol>
  );
}
