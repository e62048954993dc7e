export default defineAppConfig({
  ui: {
    colors: { primary: "harbour", neutral: "slate" },
    button: {
      // Paler, as it comes, its text is hard to read under the mouse.
      compoundVariants: [{ color: "primary", variant: "solid", class: "hover:bg-primary/90 active:bg-primary/90" }],
    },
  },
});
