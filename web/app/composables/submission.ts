// Sending a form: busy meanwhile, refusals beside the fields that they are about, others above the form, and a pause where
// the server asks for one.

import { Reason, ReasonSchema } from "@docket/contracts/gen/docket/error/v1/reason_pb.ts";

export interface SubmissionOptions {
  /** Which field a reason is about. */
  readonly fields?: Partial<Record<Reason, string>>;
  /** Own words for a reason, where the usual ones do not fit. */
  readonly words?: Partial<Record<Reason, () => string>>;
}

export function useSubmission(run: () => Promise<unknown>, { fields = {}, words = {} }: SubmissionOptions = {}) {
  const { faultOf } = useFaults();
  const { t, te } = useI18n();
  const busy = ref(false);
  const last = ref<Fault>();
  /** Seconds until it makes sense to try again; 0: now. */
  const waiting = ref(0);
  let timer: ReturnType<typeof setInterval> | undefined;

  function wait(ms: number): void {
    clearInterval(timer);
    waiting.value = Math.ceil(ms / 1000);
    if (waiting.value === 0) return;
    timer = setInterval(() => {
      waiting.value -= 1;
      if (waiting.value > 0) return;
      clearInterval(timer);
      last.value = undefined;
    }, 1000);
  }
  onScopeDispose(() => clearInterval(timer));

  /** Sends; true when it went well. */
  async function submit(): Promise<boolean> {
    if (busy.value || waiting.value > 0) return false;
    busy.value = true;
    last.value = undefined;
    try {
      await run();
      return true;
    } catch (error) {
      const fault = faultOf(error);
      last.value = fault;
      if (fault.reason === Reason.ATTEMPTS_SLOWED || fault.reason === Reason.RATE_LIMITED) wait(fault.retryAfterMs);
      return false;
    } finally {
      busy.value = false;
    }
  }

  /** What is wrong with each field, in words. */
  const errors = computed<Readonly<Record<string, string>>>(() => {
    const fault = last.value;
    if (fault === undefined) return {};
    const found = Object.fromEntries(
      fault.violations.map(({ field, description }) => [lastName(field), wordsOf(lastName(field), description)]),
    );
    const named = fields[fault.reason];
    return named === undefined ? found : { ...found, [named]: sentenceOf(fault) };
  });

  function wordsOf(field: string, description: string): string {
    const own = `form.invalid.${field}`;
    return te(own) ? t(own) : description;
  }

  /** A weak password is weak for one of several causes. */
  function sentenceOf(fault: Fault): string {
    const own = `password.weak.${fault.metadata.rule ?? ""}`;
    return words[fault.reason]?.() ?? (te(own) ? t(own) : fault.message);
  }

  return {
    busy,
    waiting,
    submit,
    errors,
    /** What no field can show. */
    fault: computed(() => (Object.keys(errors.value).length > 0 ? undefined : last.value)),
    /** Why the last try failed. */
    reason: computed(() => (last.value === undefined ? undefined : ReasonSchema.value[last.value.reason]?.localName)),
    /** Forgets what went wrong. */
    clear: () => {
      last.value = undefined;
    },
  };
}

/** `profile.display_name` is about `display_name`. */
function lastName(path: string): string {
  return path.split(".").at(-1) ?? path;
}
