/** One thing that the linter refuses. */
export interface Refusal {
  /** The proto file, for example `docket/user/v1/user_service.proto`. */
  file: string;
  /** The RPC, field or value, by its full name. */
  element: string;
  /** What is wrong, and what would be right. */
  sentence: string;
}

/** Refuses the RPC that is being looked at. */
export type RefuseRpc = (sentence: string) => void;

/** Refuses a field or value, by its full name. */
export type Refuse = (element: string, sentence: string) => void;
