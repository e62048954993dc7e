export default defineAppConfig({
  ui: {
    colors: { primary: "harbour", neutral: "slate" },
  },
});
