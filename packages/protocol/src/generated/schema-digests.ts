// Generated from schemas/ by `npm run generate`. Do not edit.
/** SHA-256 of each schema's file. */
export const SCHEMA_DIGESTS = {
  "approval.schema.json": "1500bb4c3076638d2ce00129bd672181a1e92310eacab8a14a0e4986c1ea4412",
  "config.schema.json": "421bec3df6e1f5c4ce25ca44062711ed0fa7ad202563cca6bd9596a32d5d2e2b",
  "facts.schema.json": "c328c066a6679afc5b61aeda2440506b4d2a19f54acd2053cbfb271475f86b3d",
  "manifest.schema.json": "024c49e95b2ce4f1dcb07871dbdc52e3117ce532b83793e6a069ff4157f456b4",
  "message.schema.json": "b81b7cb8d472f3c34223cb0e3f1f315303254668243574b9277af5d87f752e96",
  "record.schema.json": "aed489a72ee92ffec01488ae433e99d84c7900e104016e43cbbe1e1b552ffb26",
  "release.schema.json": "2efc6956cd87c83ecbeb1a75ce4c2cc751a9eaa3efe1e69e3615ee77c9feb96e",
  "reply.schema.json": "2628464da3413d32182a913504db32344a25d81a4d908bb5cd9a2cd9cbdb8182",
  "snapshot.schema.json": "81d1f3ffcb619d5f23064d062dd98d909850f1391b5530213fcd40641928d1ab",
} as const;
