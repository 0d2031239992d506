// Generated from schemas/ by `npm run generate`. Do not edit.
/** SHA-256 of each schema's file. */
export const SCHEMA_DIGESTS = {
  "approval.schema.json": "0fa717f1d7a9d0dde851654dc8877751c74f180c7ff50d94803ecfec1b9ea1ec",
  "config.schema.json": "d10dd68b337e6a19848d60b4e4c5f75c953c38711797ab88cbb3d0aeaaf2db87",
  "facts.schema.json": "9d190b9a56963a92b0acfa495bd2a8e535e101c9f2033ab67c29f1fc4c75f8ed",
  "manifest.schema.json": "529b732931b6a9e7d8a9f333694566fd0e16efcb1622eb6c030b68a99937f606",
  "message.schema.json": "c352c9cf30f433cb3b8179288c3d5ba192d34ed505324f7f657850a880dbab7c",
  "record.schema.json": "377e09bab002bff644fb28f9b15c02adb67102cbfe58c5d503d7d39cdb2c79a5",
  "release.schema.json": "9282047017442bcbe4536745c3d57587e6645bdfb804eedaabecdf3cb8dbfa6a",
  "reply.schema.json": "9709c4fae22d72fb17b52e0aefc2f524e34d0cb87fdea9abb4f795263c81eb7b",
  "snapshot.schema.json": "0467077639e871d10b259129e1773a02c2e2d9b74dfaae14da75b0dc8028e612",
} as const;
