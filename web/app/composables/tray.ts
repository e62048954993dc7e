/** Whether the tray of uploads stands in its corner: short messages keep out of it then. */
export function useTrayShown() {
  return useState("tray-shown", () => false);
}
