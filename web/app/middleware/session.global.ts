// Every page is for somebody signed in, unless it says `definePageMeta({ anonymous: true })`.

declare module "vue-router" {
  interface RouteMeta {
    /** Whether the page is for those who are not signed in too. */
    anonymous?: boolean;
  }
}

export default defineNuxtRouteMiddleware(async (to) => {
  // The page that says what went wrong is for everybody, and is made without a way to the edge.
  if (import.meta.server && useError().value) return;
  const { load, foreign } = useSession();
  const visitor = await load();
  // A whole load, so that nobody sees what this page remembers of another account.
  if (import.meta.client && foreign.value) return navigateTo(to.fullPath, { external: true });
  if (visitor !== null || to.meta.anonymous) return;
  const query = to.path === "/" ? {} : { next: to.fullPath };
  return navigateTo({ path: "/sign-in", query });
});
