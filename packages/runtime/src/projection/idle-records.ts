/** Records that change the state of no actor. Their effect on session histories is folded separately. */
import type { RecordType, TypedRecord } from "@femtoclaw/protocol";

const IDLE = [
  ...(["key.rotated", "snapshot.taken", "values.erased", "log.pruned", "deployment.changed"] as const),
  ...(["session.opened", "session.closed", "session.halted", "secret.added", "secret.removed"] as const),
  ...(["subscription.ended", "upstream.answered"] as const),
];

export const movesNothing = (record: TypedRecord): record is TypedRecord & { readonly type: (typeof IDLE)[number] } =>
  (IDLE as readonly RecordType[]).includes(record.type);
