// Generated from schemas/ by `npm run generate`. Do not edit.
/** SHA-256 of each schema's file. */
export const SCHEMA_DIGESTS = {
  "approval.schema.json": "0fa717f1d7a9d0dde851654dc8877751c74f180c7ff50d94803ecfec1b9ea1ec",
  "config.schema.json": "445e199913f0bc4034aed172cc7aaaa653b4ef9117a594d6ff7c97216f6f0b03",
  "facts.schema.json": "890a82895bf213a48c95b5339d5c28e62497950ab2076ea08c37039c25618875",
  "manifest.schema.json": "fa41a28d20eb00959a1c942277e476368f1e8261e6ee2e018c6f6186abc94de0",
  "message.schema.json": "c352c9cf30f433cb3b8179288c3d5ba192d34ed505324f7f657850a880dbab7c",
  "record.schema.json": "58d46864c06fa0c9ec2c9dc848dd0779f3da3fc08a2b4959682793fdc1d061fe",
  "release.schema.json": "9282047017442bcbe4536745c3d57587e6645bdfb804eedaabecdf3cb8dbfa6a",
  "reply.schema.json": "9709c4fae22d72fb17b52e0aefc2f524e34d0cb87fdea9abb4f795263c81eb7b",
  "snapshot.schema.json": "0467077639e871d10b259129e1773a02c2e2d9b74dfaae14da75b0dc8028e612",
} as const;
