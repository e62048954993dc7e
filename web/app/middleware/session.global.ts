// Every page is for somebody signed in, unless it says `definePageMeta({ anonymous: true })`.

declare module "vue-router" {
  interface RouteMeta {
    /** Whether the page is for those who are not signed in too. */
    anonymous?: boolean;
  }
}

export default defineNuxtRouteMiddleware(async (to) => {
  const { load } = useSession();
  const visitor = await load();
  if (visitor !== null || to.meta.anonymous) return;
  const query = to.path === "/" ? {} : { next: to.fullPath };
  return navigateTo({ path: "/sign-in", query });
});
