/** The types of records and their bodies, tied to each other. The schema of the record is the source. */
import type * as T from "../generated/types.ts";

export interface RecordBodies {
  "log.created": T.LogCreatedBody;
  "key.rotated": T.KeyRotatedBody;
  "boot.started": T.BootStartedBody;
  "lifecycle.changed": T.LifecycleChangedBody;
  "registry.loaded": T.RegistryLoadedBody;
  "capability.enabled": T.CapabilityEnabledBody;
  "capability.disabled": T.CapabilityDisabledBody;
  "policy.activated": T.PolicyActivatedBody;
  "policy.rejected": T.PolicyRejectedBody;
  "observability.started": T.ObservabilityStartedBody;
  "observability.changed": T.ObservabilityChangedBody;
  "supervision.crashed": T.SupervisionCrashedBody;
  "supervision.restarted": T.SupervisionRestartedBody;
  "session.opened": T.SessionOpenedBody;
  "session.closed": T.SessionClosedBody;
  "message.recorded": T.MessageRecordedBody;
  "execution.refused": T.ExecutionRefusedBody;
  "approval.asked": T.ApprovalAskedBody;
  "approval.answered": T.ApprovalAnsweredBody;
  "execution.intent": T.ExecutionIntentBody;
  "execution.hop": T.ExecutionHopBody;
  "execution.outcome": T.ExecutionOutcomeBody;
  "execution.interrupted": T.ExecutionInterruptedBody;
  "overload.refused": T.OverloadRefusedBody;
  "snapshot.taken": T.SnapshotTakenBody;
  "execution.resolved": T.ExecutionResolvedBody;
  "epoch.opened": T.EpochOpenedBody;
  "execution.inherited": T.ExecutionInheritedBody;
  "memory.changed": T.MemoryChangedBody;
  "session.halted": T.SessionHaltedBody;
  "values.erased": T.ValuesErasedBody;
  "log.pruned": T.LogPrunedBody;
  "terminal.opened": T.TerminalOpenedBody;
  "terminal.recorded": T.TerminalRecordedBody;
  "terminal.closed": T.TerminalClosedBody;
  "secret.added": T.SecretAddedBody;
  "secret.removed": T.SecretRemovedBody;
  "deployment.changed": T.DeploymentChangedBody;
  "upstream.started": T.UpstreamStartedBody;
  "upstream.stopped": T.UpstreamStoppedBody;
  "upstream.pinned": T.UpstreamPinnedBody;
  "upstream.unpinned": T.UpstreamUnpinnedBody;
  "upstream.quarantined": T.UpstreamQuarantinedBody;
  "subscription.ended": T.SubscriptionEndedBody;
  "upstream.answered": T.UpstreamAnsweredBody;
}

export type RecordType = keyof RecordBodies;

export type MachineId = T.MachineIdentity["id"];

/** Which machine folds a record of each type. */
export const MACHINE_OF: Readonly<Record<RecordType, MachineId>> = {
  "log.created": "memory",
  "key.rotated": "memory",
  "snapshot.taken": "memory",
  "values.erased": "memory",
  "log.pruned": "memory",
  "boot.started": "lifecycle",
  "deployment.changed": "lifecycle",
  "lifecycle.changed": "lifecycle",
  "supervision.crashed": "lifecycle",
  "supervision.restarted": "lifecycle",
  "session.opened": "lifecycle",
  "session.closed": "lifecycle",
  "registry.loaded": "registry",
  "secret.added": "registry",
  "secret.removed": "registry",
  "upstream.started": "registry",
  "upstream.stopped": "registry",
  "upstream.pinned": "registry",
  "upstream.unpinned": "registry",
  "upstream.quarantined": "registry",
  "subscription.ended": "registry",
  "upstream.answered": "execution",
  "capability.enabled": "registry",
  "capability.disabled": "registry",
  "policy.activated": "policy",
  "policy.rejected": "policy",
  "observability.started": "observability",
  "observability.changed": "observability",
  "message.recorded": "execution",
  "execution.refused": "execution",
  "approval.asked": "execution",
  "approval.answered": "execution",
  "execution.intent": "execution",
  "execution.hop": "execution",
  "execution.outcome": "execution",
  "execution.interrupted": "execution",
  "overload.refused": "execution",
  "session.halted": "lifecycle",
  "memory.changed": "memory",
  "execution.resolved": "execution",
  "execution.inherited": "execution",
  "epoch.opened": "lifecycle",
  "terminal.opened": "lifecycle",
  "terminal.recorded": "lifecycle",
  "terminal.closed": "lifecycle",
};

/** The machines of one writer. Each of its records names the machine that folds it. */
export type MachineIdentities = Readonly<Record<MachineId, T.MachineIdentity>>;

/** What a writer provides. The journal adds sequence number, times, boot and machine, and takes secrets out. */
export type RecordEntry = {
  [K in RecordType]: {
    readonly type: K;
    /** Absent if the runtime itself acts. */
    readonly actor?: T.RecordActor;
    readonly session: string | null;
    readonly execution: string | null;
    readonly body: RecordBodies[K];
  };
}[RecordType];

/** A record as it stands in the journal. */
export type TypedRecord = {
  [K in RecordType]: Omit<T.JournalRecord, "type" | "body"> & { readonly type: K; readonly body: RecordBodies[K] };
}[RecordType];
