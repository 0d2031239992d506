// Generated from the machines by `npm run generate`. Do not edit.
import type { MachineIdentity } from "@femtoclaw/protocol/types";

/** Version and digest of each machine, as the records of this FemtoClaw name them. */
export const MACHINE_IDENTITIES = {
  lifecycle: { id: "lifecycle", version: "3", sha256: "688bc1d896811ade32fef62a39b470e81e73f101548db9ec45520a35e38a6636" },
  memory: { id: "memory", version: "2", sha256: "c8b451630a816164fa4d17ebfc320762d8bb2e5e5769fd6abb8698a32e2507b9" },
  registry: { id: "registry", version: "1", sha256: "a681ce13ca8ed04574b749f982d8e5fe91ac281cc6a3a1353b613a2f8cecbe4b" },
  policy: { id: "policy", version: "1", sha256: "c7f019df1d8406dbce51ae85b7a76a751f18a38cf698412d400f1acd826d52c1" },
  observability: { id: "observability", version: "1", sha256: "d403e34719df408dc260da7aa3ab1bd35908f1ae17305e1f6e7780bca1e839d4" },
  execution: { id: "execution", version: "2", sha256: "1067a103fe8a54f02fff1331e11282e915bd943b2ecce59886036369ab6b05dc" },
} as const satisfies Readonly<Record<MachineIdentity["id"], MachineIdentity>>;
