/**
 * A record as an event of the Open Cybersecurity Schema Framework, version 1.9. This file adds the attributes that all
 * events share to those of the particular record. The mapping is pure, so the same record always gives the same event,
 * and data for which OCSF has no attribute is kept under `unmapped`.
 */
import type { RecordActor, TypedRecord } from "@femtoclaw/protocol";
import { leafHash } from "../tree/hashing.ts";
import {
  type Attributes,
  INFORMATIONAL,
  type IntentRecord,
  optional,
  type Particulars,
  particularsOf,
  SYSTEM,
} from "./ocsf-particulars.ts";

const OCSF_VERSION = "1.9.0";

interface OcsfContext {
  /** Name of the log. */
  readonly origin: string;
  /** The checkpoint that vouches for the record. */
  readonly checkpoint: { readonly size: number; readonly root: Uint8Array };
  /** The intent of the execution that ended, if the journal still holds it. */
  readonly intent?: IntentRecord;
}

export function ocsfEvent(record: TypedRecord, bytes: Uint8Array, context: OcsfContext): Attributes {
  const {
    of,
    activity,
    status,
    severity = INFORMATIONAL,
    allowed,
    policy,
    attributes,
  } = particularsOf(record, context.intent);
  const { seq, at, type, actor, session, execution } = record;
  const [statusId, statusCaption, statusCode, statusDetail] = status;
  const activityName = of.activities[activity] ?? "Other";
  const profiles = [
    "record_integrity",
    ...(allowed === undefined ? [] : ["security_control"]),
    ...(actor?.channel === "agent" ? ["ai_operation"] : []),
  ];
  return {
    activity_id: activity,
    activity_name: activityName,
    category_uid: of.category[0],
    category_name: of.category[1],
    class_uid: of.uid,
    class_name: of.name,
    type_uid: of.uid * 100 + activity,
    type_name: `${of.name}: ${activityName}`,
    time: Date.parse(at),
    severity_id: severity[0],
    severity: severity[1],
    status_id: statusId,
    status: statusCaption,
    ...optional({ status_code: statusCode, status_detail: statusDetail }),
    message: type,
    metadata: {
      version: OCSF_VERSION,
      product: { name: "FemtoClaw", vendor_name: "FemtoClaw" },
      profiles,
      uid: `${context.origin}/${seq}`,
      sequence: seq,
      log_name: context.origin,
      original_time: at,
      event_code: type,
      ...optional({ correlation_uid: execution }),
    },
    actor: actorOf(actor, session),
    ...(of.category === SYSTEM ? { device: { type_id: 0, type: "Unknown", uid: context.origin } } : {}),
    ...attributes,
    ...(allowed === undefined ? {} : decisionOf(allowed, policy)),
    ...agentOf(actor, session),
    attestation: attestationOf(seq, bytes, context),
    unmapped: unmappedOf(record),
  };
}

function decisionOf(allowed: boolean, policy: Particulars["policy"]): Attributes {
  const decision = allowed ? "Allowed" : "Denied";
  return {
    action_id: allowed ? 1 : 2,
    action: decision,
    disposition_id: allowed ? 1 : 2,
    disposition: allowed ? "Allowed" : "Blocked",
    ...(policy?.revision == null
      ? {}
      : { authorizations: [{ decision, policy: { uid: policy.revision, name: policy.rules.join(" ") } }] }),
  };
}

/** Without a named actor, the runtime itself acted. */
function actorOf(actor: RecordActor | null, session: string | null): Attributes {
  if (actor === null) return { application: { name: "FemtoClaw" } };
  return { user: { name: actor.principal }, ...(session === null ? {} : { session: { uid: session } }) };
}

/** The name that an agent gives itself proves nothing, but the delegation is stated by the runtime. */
function agentOf(actor: RecordActor | null, session: string | null): Attributes {
  if (actor?.channel !== "agent") return {};
  const { agent, delegation } = actor;
  return {
    ai_agent: { name: agent ?? "unnamed", ...optional({ uid: session }) },
    ...(delegation === null
      ? {}
      : {
          delegation: {
            uid: delegation.uid,
            ...optional({ parent_uid: delegation.parent }),
            issuer_uid: delegation.issuer,
          },
        }),
  };
}

/** The hashes cover the stored record, not this event; the names of both algorithms say so. */
function attestationOf(seq: number, bytes: Uint8Array, { origin, checkpoint }: OcsfContext): Attributes {
  const root = Buffer.from(checkpoint.root).toString("hex");
  return {
    uid: `${origin}/${seq}`,
    authority_uid: origin,
    chain_uid: origin,
    fingerprint: {
      algorithm_id: 99,
      algorithm: "RFC 6962 leaf hash of the record, SHA-256",
      value: leafHash(bytes).toString("hex"),
    },
    signatures: [
      {
        algorithm_id: 99,
        algorithm: "Ed25519",
        serialization_id: 99,
        serialization: `C2SP checkpoint of ${checkpoint.size} records`,
        digest: { algorithm_id: 99, algorithm: "RFC 6962 root, SHA-256", value: root },
      },
    ],
  };
}

/** What the other attributes do not state, or not as exactly. */
function unmappedOf({ v, mono_us, boot, machine, body, commitments, redactions }: TypedRecord): Attributes {
  return { v, mono_us, boot, machine, body, ...optional({ commitments, redactions }) };
}
