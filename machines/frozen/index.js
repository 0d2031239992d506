// Generated from the machines by `npm run generate`. Do not edit.

/** Every version of every machine that a record may name. */
export const FROZEN_MACHINES = [
  {
    id: "execution",
    version: "1",
    sha256: "26a980510fe0d5dc0ee0e68d8a899efef1a9ac8a7267dd021ac63c3eaa505a14",
    url: new URL("./execution@1.js", import.meta.url).href,
    load: async () => (await import("./execution@1.js")).executionMachine,
  },
  {
    id: "lifecycle",
    version: "1",
    sha256: "2b0c7b21dcf41e626cd16efdc7e9f3dbb4d38b3130c0dacb3f4fb9322912381e",
    url: new URL("./lifecycle@1.js", import.meta.url).href,
    load: async () => (await import("./lifecycle@1.js")).lifecycleMachine,
  },
  {
    id: "memory",
    version: "1",
    sha256: "97dc169035d53cb2576ddf9171830c4d0de5284593dd0bbc027b00aa9e1db582",
    url: new URL("./memory@1.js", import.meta.url).href,
    load: async () => (await import("./memory@1.js")).memoryMachine,
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
