// Shows what is shown once: links and keys whose text nobody keeps.

import { LazySecretDialog } from "#components";

export interface ShownSecret {
  readonly title: string;
  /** What to do with it, and until when it works. */
  readonly description: string;
  readonly label: string;
  readonly value: string;
}

/** The function that shows it; it is done when the person has closed the dialog. */
export function useSecretDialog(): (secret: ShownSecret) => Promise<void> {
  const overlay = useOverlay();
  const wanted = useDialogsWanted();
  return async (secret) => {
    wanted.value = true;
    await overlay.create(LazySecretDialog, { destroyOnClose: true }).open({ ...secret });
  };
}
