// Generated from the machines by `npm run generate`. Do not edit.

/** Every version of every machine that a record may name. */
export const FROZEN_MACHINES = [
  {
    id: "execution",
    version: "2",
    sha256: "1067a103fe8a54f02fff1331e11282e915bd943b2ecce59886036369ab6b05dc",
    url: new URL("./execution@2.js", import.meta.url).href,
    load: async () => (await import("./execution@2.js")).executionMachine,
  },
  {
    id: "lifecycle",
    version: "2",
    sha256: "b008ec8e8aeae92bb507194bd97d75fad0a7f1a99e2a2c939b8a631d1b25b8e6",
    url: new URL("./lifecycle@2.js", import.meta.url).href,
    load: async () => (await import("./lifecycle@2.js")).lifecycleMachine,
  },
  {
    id: "lifecycle",
    version: "3",
    sha256: "688bc1d896811ade32fef62a39b470e81e73f101548db9ec45520a35e38a6636",
    url: new URL("./lifecycle@3.js", import.meta.url).href,
    load: async () => (await import("./lifecycle@3.js")).lifecycleMachine,
  },
  {
    id: "memory",
    version: "2",
    sha256: "c8b451630a816164fa4d17ebfc320762d8bb2e5e5769fd6abb8698a32e2507b9",
    url: new URL("./memory@2.js", import.meta.url).href,
    load: async () => (await import("./memory@2.js")).memoryMachine,
  },
  {
    id: "observability",
    version: "1",
    sha256: "d403e34719df408dc260da7aa3ab1bd35908f1ae17305e1f6e7780bca1e839d4",
    url: new URL("./observability@1.js", import.meta.url).href,
    load: async () => (await import("./observability@1.js")).observabilityMachine,
  },
  {
    id: "policy",
    version: "1",
    sha256: "c7f019df1d8406dbce51ae85b7a76a751f18a38cf698412d400f1acd826d52c1",
    url: new URL("./policy@1.js", import.meta.url).href,
    load: async () => (await import("./policy@1.js")).policyMachine,
  },
  {
    id: "registry",
    version: "1",
    sha256: "a681ce13ca8ed04574b749f982d8e5fe91ac281cc6a3a1353b613a2f8cecbe4b",
    url: new URL("./registry@1.js", import.meta.url).href,
    load: async () => (await import("./registry@1.js")).registryMachine,
  },
];
