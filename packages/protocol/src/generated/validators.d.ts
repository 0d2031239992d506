// Generated from schemas/ by `npm run generate`. Do not edit.
export interface ValidationError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}
export interface Validator {
  (value: unknown): boolean;
  readonly errors?: readonly ValidationError[] | null;
}
export declare const validateApproval: Validator;
export declare const validateConfig: Validator;
export declare const validateFacts: Validator;
export declare const validateManifest: Validator;
export declare const validateMessage: Validator;
export declare const validateRecord: Validator;
export declare const validateRelease: Validator;
export declare const validateReply: Validator;
export declare const validateSnapshot: Validator;
/** Whether a record of this type may have this body; all that its schema says besides depends on no body. */
export declare function isRecordBody(type: string, body: unknown): boolean;
