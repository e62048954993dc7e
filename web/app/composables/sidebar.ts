/** Whether the way around lies open over the page; only where the window is too narrow to show it always. */
export function useSidebar() {
  return { open: useState("sidebar-open", () => false) };
}
