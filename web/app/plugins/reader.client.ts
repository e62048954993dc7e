// Tells dates what only the browser knows, once the server's page has come alive, and keeps the time: one timer for all.

const everyMs = 20_000;

export default defineNuxtPlugin((app) => {
  const reader = useReader();
  const { timeZone, locale } = { ...Intl.DateTimeFormat().resolvedOptions(), locale: navigator.language };
  const tick = () => {
    if (document.visibilityState === "visible") reader.value = { now: Date.now(), timeZone, locale };
  };
  app.hook("app:suspense:resolve", tick);
  setInterval(tick, everyMs);
  document.addEventListener("visibilitychange", tick);
});
