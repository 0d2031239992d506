// Generated from schemas/ by `npm run generate`. Do not edit.
/** SHA-256 of each schema's file. */
export const SCHEMA_DIGESTS = {
  "config.schema.json": "a41dffb2f13a143f5ef07723ae2cc0e6d31173a0ab84284900f6941240f0caeb",
  "facts.schema.json": "365efad1aca3e73b27d60afc6239df4a0e9d9abfd71de687195906f9b53b18bc",
  "manifest.schema.json": "6e80fc94f396cef9a70a56effb36d15a13466983291eb4a5cd6784a7f5a3b7ce",
  "message.schema.json": "c352c9cf30f433cb3b8179288c3d5ba192d34ed505324f7f657850a880dbab7c",
  "record.schema.json": "f83a5aac8e709b865597f57afaafb79cbd58556521c2ce6292a2379c6899169b",
  "release.schema.json": "9282047017442bcbe4536745c3d57587e6645bdfb804eedaabecdf3cb8dbfa6a",
  "reply.schema.json": "9709c4fae22d72fb17b52e0aefc2f524e34d0cb87fdea9abb4f795263c81eb7b",
  "snapshot.schema.json": "0467077639e871d10b259129e1773a02c2e2d9b74dfaae14da75b0dc8028e612",
} as const;
