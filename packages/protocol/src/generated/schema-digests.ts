// Generated from schemas/ by `npm run generate`. Do not edit.
/** SHA-256 of each schema's file. */
export const SCHEMA_DIGESTS = {
  "approval.schema.json": "0fa717f1d7a9d0dde851654dc8877751c74f180c7ff50d94803ecfec1b9ea1ec",
  "config.schema.json": "bed7cf267e9a35a62e1d017960489437f2f4312f54128d4f048b9bf2287bac1d",
  "facts.schema.json": "edd2c56515ddd640ffc2face7d123f81263c7603c2e3f2cf18c754d140844798",
  "manifest.schema.json": "af583b8b82e056e192b76a0ccf56a53b7963f2ddfc9f35bed6b0371ef817d66c",
  "message.schema.json": "c352c9cf30f433cb3b8179288c3d5ba192d34ed505324f7f657850a880dbab7c",
  "record.schema.json": "a3080cdffafdaa12dd5609e2bbdfa835c9205045867a871955e9b929845b1ba6",
  "release.schema.json": "9282047017442bcbe4536745c3d57587e6645bdfb804eedaabecdf3cb8dbfa6a",
  "reply.schema.json": "9709c4fae22d72fb17b52e0aefc2f524e34d0cb87fdea9abb4f795263c81eb7b",
  "snapshot.schema.json": "0467077639e871d10b259129e1773a02c2e2d9b74dfaae14da75b0dc8028e612",
} as const;
