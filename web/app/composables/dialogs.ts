/** Whether a dialog was asked for on this page: what holds dialogs comes with the first. */
export function useDialogsWanted() {
  return useState("dialogs-wanted", () => false);
}
