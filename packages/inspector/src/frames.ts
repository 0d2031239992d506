/**
 * The frames of the inspector. They have the fields of Stately's inspection protocol, and what that lacks: the sequence
 * number, the event's own time, the digest of the definition, and the transition taken.
 */
import type { ErrorType } from "@femtoclaw/protocol/types";

export const SUBSYSTEMS = ["memory", "registry", "policy", "observability"] as const;
export type SubsystemName = (typeof SUBSYSTEMS)[number];
export const MACHINE_NAMES = ["lifecycle", ...SUBSYSTEMS] as const;
export type MachineName = (typeof MACHINE_NAMES)[number];

/** The supervision state of a subsystem. */
export type Region = "up" | "backoff" | "lost";

/** Version of `@statelyai/inspect` whose shapes the frames have. */
const SHAPES = "0.7.2";

export interface FrameBase {
  readonly _version: string;
  /** The boot, because XState's own root names repeat after each restart. */
  readonly rootId: string;
  /** `<boot>/<actor>`, which never repeats. */
  readonly sessionId: string;
  /** `<record>.<index>`: frames are ordered, and a reader continues after the last one that it has. */
  readonly id: string;
  /** Time of the record in milliseconds since 1970, as text, as the protocol has it. */
  readonly createdAt: string;
  readonly seq: number;
}

export interface FrameSnapshot {
  readonly status: "active" | "done" | "error";
  readonly value: string;
  readonly context?: { readonly category: ErrorType | null };
}

/** An actor appears; the digest leads to its chart. */
export interface ActorFrame extends FrameBase {
  readonly type: "@xstate.actor";
  readonly name: string;
  readonly parentId: string | null;
  readonly definitionRef: string;
  readonly snapshot: FrameSnapshot;
}

export interface Transition {
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

/** An actor takes an event. */
export interface EventFrame extends FrameBase {
  readonly type: "@xstate.event";
  readonly event: { readonly type: string };
  readonly sourceId: string | null;
  readonly via: Transition;
}

/** The state of an actor after the record. */
export interface SnapshotFrame extends FrameBase {
  readonly type: "@xstate.snapshot";
  readonly event: { readonly type: string };
  readonly snapshot: FrameSnapshot;
  readonly via: readonly Transition[];
}

export type Frame = ActorFrame | EventFrame | SnapshotFrame;

/** A frame without the fields that come from its record. */
export type FrameBody =
  | Omit<ActorFrame, keyof FrameBase>
  | Omit<EventFrame, keyof FrameBase>
  | Omit<SnapshotFrame, keyof FrameBase>;

/** Collects and numbers the frames of one record. */
export class FrameBatch {
  readonly frames: Frame[] = [];
  readonly #seq: number;
  readonly #boot: string;
  readonly #createdAt: string;

  constructor({ seq, boot, at }: { readonly seq: number; readonly boot: string; readonly at: string }) {
    this.#seq = seq;
    this.#boot = boot;
    this.#createdAt = String(Date.parse(at));
  }

  add(actor: string, body: FrameBody): void {
    this.frames.push({
      ...body,
      _version: SHAPES,
      rootId: this.#boot,
      sessionId: `${this.#boot}/${actor}`,
      id: `${this.#seq}.${this.frames.length}`,
      createdAt: this.#createdAt,
      seq: this.#seq,
    });
  }
}

/** An execution that was open or unresolved where the frames begin. */
export interface OpenActor {
  readonly execution: string;
  readonly tool: string;
  readonly session: string | null;
  /** The record that says so. */
  readonly seq: number;
  readonly state: string;
  readonly category: ErrorType | null;
  readonly interrupted: boolean;
}

/**
 * The state of everything where the frames begin, so that the newest part can be drawn without reading all of history.
 */
export interface Summary {
  /** The number of records covered, which is the number of the first record after it. */
  readonly size: number;
  readonly boot: string | null;
  readonly boots: number;
  readonly running: number;
  readonly machines: Readonly<Record<MachineName, { readonly value: string; readonly sha256: string }>>;
  readonly regions: Readonly<Record<SubsystemName, Region>>;
  readonly actors: readonly OpenActor[];
  readonly counters: Readonly<Record<string, number>>;
}
