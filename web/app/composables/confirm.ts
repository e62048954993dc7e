// Asks before what cannot be undone. The dialog's code comes with the first question.
//
//   const confirm = useConfirm();
//   const removed = await confirm({ title, description, action: t("action.remove"), run: () => members.remove(id) });

import { LazyConfirmDialog } from "#components";

export interface ConfirmQuestion {
  /** The question, in a few words. */
  readonly title: string;
  /** What happens then, and what does not come back. */
  readonly description: string;
  /** The words of the button that does it. */
  readonly action: string;
  /** What must be typed first, for example the name of what is lost. Unset: nothing. */
  readonly typed?: string;
  /** Whether nothing is lost: the button then does not warn. */
  readonly harmless?: boolean;
  /** Runs while the dialog is open; where it throws, the dialog stays and says why. */
  readonly run?: () => Promise<unknown>;
}

/** The function that asks; it gives true when the person said yes and `run` went well. */
export function useConfirm(): (question: ConfirmQuestion) => Promise<boolean> {
  const overlay = useOverlay();
  const wanted = useDialogsWanted();
  return async (question) => {
    wanted.value = true;
    const dialog = overlay.create(LazyConfirmDialog, { destroyOnClose: true });
    return (await dialog.open({ ...question })) === true;
  };
}
