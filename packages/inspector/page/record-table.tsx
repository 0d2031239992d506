/** The records of one thing, each with a proof that it stands in the signed log. */
import type { TypedRecord } from "@femtoclaw/protocol";
import { answerOf } from "./answers.ts";
import { beginning, link, moveTo } from "./store.ts";
import { clock, shown } from "./text.tsx";

export function RecordTable({ records }: { readonly records: readonly TypedRecord[] }) {
  return (
    <table class="records">
      <thead>
        <tr>
          <th scope="col">record</th>
          <th scope="col">type</th>
          <th scope="col">at</th>
          <th scope="col">in the signed log</th>
        </tr>
      </thead>
      <tbody>
        {records.map((record) => (
          <tr key={record.seq}>
            <td>
              <a href={link("timeline")} onClick={() => moveTo(record.seq)}>
                {record.seq}
              </a>
            </td>
            <td>{shown(record.type)}</td>
            <td>{clock(record.at)}</td>
            <td>
              <Proof seq={record.seq} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Proof({ seq }: { readonly seq: number }) {
  const { verdict = null, mode } = beginning.value ?? {};
  const proof = mode === "file" ? null : answerOf("proof", seq, (from) => from.prove(seq));
  if (mode === "file") {
    const covers = verdict !== null && verdict.verdict === "verified" && seq < verdict.signedSize;
    return covers ? <span class="done">verified at export</span> : <span class="failed">not verified</span>;
  }
  if (proof === null) return <span class="note">asking…</span>;
  if (typeof proof === "string") return <span class="note">{shown(proof, 200)}</span>;
  if (!proof.holds) return <span class="denied">not proved: {shown(proof.reason ?? "", 200)}</span>;
  return <span class="done">proved, tree of {proof.size.toLocaleString("en")}</span>;
}
