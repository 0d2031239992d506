// Generated from schemas/ by `npm run generate`. Do not edit.
/** SHA-256 of each schema's file. */
export const SCHEMA_DIGESTS = {
  "approval.schema.json": "0fa717f1d7a9d0dde851654dc8877751c74f180c7ff50d94803ecfec1b9ea1ec",
  "config.schema.json": "24bfad3eb4465e19df6254629cd82d5f394592b3cb81aa7f4f0898f10e76d0eb",
  "facts.schema.json": "edd2c56515ddd640ffc2face7d123f81263c7603c2e3f2cf18c754d140844798",
  "manifest.schema.json": "e35ac234d7bf168de3672b44d1f7d89564746237ac116440aa9fb0ea81d2a9bb",
  "message.schema.json": "c352c9cf30f433cb3b8179288c3d5ba192d34ed505324f7f657850a880dbab7c",
  "record.schema.json": "36f14a4f3b8a91312347ed8098765745a6b3b1c3914b14c63dd31ab7e6c4e203",
  "release.schema.json": "9282047017442bcbe4536745c3d57587e6645bdfb804eedaabecdf3cb8dbfa6a",
  "reply.schema.json": "9709c4fae22d72fb17b52e0aefc2f524e34d0cb87fdea9abb4f795263c81eb7b",
  "snapshot.schema.json": "0467077639e871d10b259129e1773a02c2e2d9b74dfaae14da75b0dc8028e612",
} as const;
