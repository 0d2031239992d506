// Generated from schemas/ by `npm run generate`. Do not edit.
/** SHA-256 of each schema's file. */
export const SCHEMA_DIGESTS = {
  "approval.schema.json": "0fa717f1d7a9d0dde851654dc8877751c74f180c7ff50d94803ecfec1b9ea1ec",
  "config.schema.json": "57a8c7acd6c634f90a096841055cbcfa03f629018cefe399a0836021aa2dfcb1",
  "facts.schema.json": "30d84bd9aef628c2e6e1095133fb6c2415b83f378dbeccf559800fa422738c4c",
  "manifest.schema.json": "646e637a258d79c54cc46211e0bdc589ef310c45503967dae3d0224150599e10",
  "message.schema.json": "c352c9cf30f433cb3b8179288c3d5ba192d34ed505324f7f657850a880dbab7c",
  "record.schema.json": "6d2fa0b1f9135897e86e5f7d170f62fc04568f386e90d4e36fb59036e46789ef",
  "release.schema.json": "9282047017442bcbe4536745c3d57587e6645bdfb804eedaabecdf3cb8dbfa6a",
  "reply.schema.json": "9709c4fae22d72fb17b52e0aefc2f524e34d0cb87fdea9abb4f795263c81eb7b",
  "snapshot.schema.json": "0467077639e871d10b259129e1773a02c2e2d9b74dfaae14da75b0dc8028e612",
} as const;
