/** Identifiers are branded, so that one kind cannot be passed for another. */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ExecutionId = Branded<"ExecutionId">;
export type SessionId = Branded<"SessionId">;
export type BootId = Branded<"BootId">;
