// Generated from the machines by `npm run generate`. Do not edit.
export declare const lifecycleMachine: import("xstate").AnyStateMachine;
