/** Which log this is, which part of it is shown, and how to check it without trusting anybody. */
import { beginning, held, version } from "./store.ts";
import { Facts, Pane, plural, shown } from "./text.tsx";

export function AboutLog() {
  version.value;
  const { log = "", version: release = "", verdict = null, mode, summary = null } = beginning.value ?? {};
  const { start, size, records } = held.value;
  const first = records[0];
  const last = records.at(-1);
  return (
    <div class="columns page">
      <Pane title="This log">
        <Facts
          rows={[
            ["name", <code key="log">{shown(log, 200)}</code>],
            ["shown by", `FemtoClaw ${shown(release)}`],
            ["records", plural(size, "record")],
            [
              "shown here",
              start === 0 ? "all of them" : `from record ${start} on; what was before stands in a snapshot`,
            ],
            ["boots", String(held.value.boots)],
            ["from", first?.at ?? ""],
            ["to", last?.at ?? ""],
          ]}
        />
        {summary !== null && (
          <p class="note">
            Earlier records are in the journal, and <code>femtoclaw replay</code> shows any moment of them.
          </p>
        )}
      </Pane>
      <Pane
        title="Is it what was written?"
        aside={
          verdict !== null && (
            <b class={`word ${verdict.verdict === "verified" ? "done" : "failed"}`}>{verdict.verdict}</b>
          )
        }
      >
        {verdict === null ? (
          <p>
            The host holds this log open. Each record of an execution is proved here when it is shown: from its bytes to
            a tree that the log's key has signed.
          </p>
        ) : (
          <>
            <Facts
              rows={[
                ["signed", `${plural(verdict.signedSize, "record")} of ${verdict.size.toLocaleString("en")}`],
                ["root", <code key="root">{shown(verdict.root, 100)}</code>],
              ]}
            />
            {verdict.caveats.map((caveat) => (
              <p key={caveat} class="note">
                {shown(caveat, 400)}
              </p>
            ))}
          </>
        )}
        <p>
          {mode === "file"
            ? "This file says what was found when it was written; it proves nothing by itself."
            : "Trust no page:"}
        </p>
        <pre class="commands">
          {
            "femtoclaw audit verify --key log.vkey\nfemtoclaw audit export --format tiles --out handed-over\nfemtoclaw replay handed-over --recompute"
          }
        </pre>
      </Pane>
    </div>
  );
}
