/** The types of records and their bodies, tied to each other. The schema of the record is the source. */
import type * as T from "./generated/types.ts";

export interface RecordBodies {
  "log.created": T.LogCreatedBody;
  "key.rotated": T.KeyRotatedBody;
  "boot.started": T.BootStartedBody;
  "lifecycle.changed": T.LifecycleChangedBody;
  "registry.loaded": T.RegistryLoadedBody;
  "capability.enabled": T.CapabilityEnabledBody;
  "capability.disabled": T.CapabilityDisabledBody;
  "policy.activated": T.PolicyActivatedBody;
  "observability.started": T.ObservabilityStartedBody;
  "observability.changed": T.ObservabilityChangedBody;
  "supervision.crashed": T.SupervisionCrashedBody;
  "supervision.restarted": T.SupervisionRestartedBody;
  "session.opened": T.SessionOpenedBody;
  "session.closed": T.SessionClosedBody;
  "message.recorded": T.MessageRecordedBody;
  "execution.refused": T.ExecutionRefusedBody;
  "execution.intent": T.ExecutionIntentBody;
  "execution.outcome": T.ExecutionOutcomeBody;
  "execution.interrupted": T.ExecutionInterruptedBody;
  "overload.refused": T.OverloadRefusedBody;
  "snapshot.taken": T.SnapshotTakenBody;
  "memory.changed": T.MemoryChangedBody;
  "session.halted": T.SessionHaltedBody;
}

export type RecordType = keyof RecordBodies;

/** What a writer says; the journal adds sequence number, times and boot. */
export type RecordEntry = {
  [K in RecordType]: {
    readonly type: K;
    readonly session: string | null;
    readonly execution: string | null;
    readonly body: RecordBodies[K];
  };
}[RecordType];

/** A record as it stands in the journal. */
export type TypedRecord = {
  [K in RecordType]: Omit<T.JournalRecord, "type" | "body"> & { readonly type: K; readonly body: RecordBodies[K] };
}[RecordType];
