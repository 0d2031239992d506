/** What witnesses hold of a log, for a verifier: the files of file witnesses, and the kept answers of the others. */
import { open } from "node:fs/promises";
import {
  findCosignature,
  type HeldCheckpoint,
  parseCheckpoint,
  parseWitnessKey,
  WitnessedFolder,
} from "@femtoclaw/journal";
import { errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { WitnessSetting } from "@femtoclaw/runtime/configuration";
import { readTail, type WitnessFileTail } from "./witness-file.ts";

/** LIMIT: bytes read of one witness file: the checkpoints of some weeks of uninterrupted work. */
const FILE_BYTES_MAX = 67_108_864;

export interface WitnessEvidence {
  readonly held: readonly HeldCheckpoint[];
  /** Why a witness cannot provide what it should, in words for people. This is no fault of the log. */
  readonly faults: readonly string[];
  /** Other remarks about a witness. A line that a crash cut off, for example, does not affect the lines after it. */
  readonly notes: readonly string[];
}

export interface EvidenceOptions {
  readonly stateDirectory: string;
  /** Witnesses of the configuration; none if the verified log is not the configured one. */
  readonly settings: readonly WitnessSetting[];
  /** A witness file that the auditor brought. */
  readonly file: string | undefined;
}

export async function witnessEvidence({ stateDirectory, settings, file }: EvidenceOptions): Promise<WitnessEvidence> {
  const given = file === undefined ? NOTHING : evidenceOf(await tailOf(file), "the witness file");
  const folder = new WitnessedFolder(stateDirectory);
  const kept = new Map<string, string>();
  for (const name of await folder.names()) kept.set(name, (await folder.read(name)) ?? "");
  const configured = await Promise.all(settings.map((setting) => configuredEvidence(setting, kept)));
  const remembered = [...kept].map(([name, note]): HeldCheckpoint => {
    const whose = `the checkpoint that the witness ${name} took`;
    return { note, whose, witnessed: false, elsewhere: false };
  });
  const all = [given, ...configured];
  return {
    held: [...all.flatMap(({ held }) => held), ...remembered],
    faults: all.flatMap(({ faults }) => faults),
    notes: all.flatMap(({ notes }) => notes),
  };
}

const NOTHING: WitnessEvidence = { held: [], faults: [], notes: [] };

async function configuredEvidence(
  setting: WitnessSetting,
  kept: ReadonlyMap<string, string>,
): Promise<WitnessEvidence> {
  const { kind, name } = setting;
  const note = kept.get(name);
  switch (kind) {
    case "file": {
      try {
        const evidence = evidenceOf(await tailOf(setting.path), `the file of the witness ${name}`);
        const cut = sizeOf(note ?? "") > sizeOf(evidence.held.at(-1)?.note ?? "");
        const faults = cut ? [`the file of the witness ${name} held more records once: it was cut`] : [];
        return { ...evidence, faults: [...evidence.faults, ...faults] };
      } catch (error) {
        // What a witness has lost is no fault of the log.
        return { ...NOTHING, faults: [errorText(error)] };
      }
    }
    case "command":
      return NOTHING;
    case "http": {
      if (note === undefined) return NOTHING;
      const split = note.lastIndexOf("\n\n");
      const verifier = parseWitnessKey(setting.vkey);
      const cosigned = verifier !== null && findCosignature(note.slice(0, split + 1), note.slice(split + 2), verifier);
      if (!cosigned) return { ...NOTHING, faults: [`what is kept of the witness ${name} is not signed by its key`] };
      const whose = `the checkpoint that the witness ${name} cosigned`;
      return { held: [{ note, whose, witnessed: true, elsewhere: false }], faults: [], notes: [] };
    }
  }
}

function evidenceOf({ held, faults }: WitnessFileTail, whose: string): WitnessEvidence {
  const notes = [...new Map(held.map(({ note }) => [note, note])).keys()];
  return {
    held: notes.map((note) => ({ note, whose: `the checkpoint in ${whose}`, witnessed: true, elsewhere: true })),
    faults: held.length === 0 ? [`${whose} holds no checkpoint`] : [],
    notes: faults,
  };
}

async function tailOf(path: string): Promise<WitnessFileTail> {
  try {
    const file = await open(path, "r");
    try {
      return await readTail(file, FILE_BYTES_MAX);
    } finally {
      await file.close();
    }
  } catch (error) {
    const reason = `the witness file ${printable(path, 4_096)} cannot be read: ${systemErrorCode(error) ?? errorText(error)}`;
    throw new FemtoError("FEMTO_USAGE", reason, { fix: "Name the file of the witness.", cause: error });
  }
}

/** Size that a note claims; 0 if there is none. */
function sizeOf(note: string): number {
  return parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1))?.size ?? 0;
}
