// Change the theme at once; the server keeps it for the next page.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-theme-switch]");
  if (!form) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  document.documentElement.dataset.theme = data.get("theme");
  fetch(form.action, { method: "POST", body: data, redirect: "manual" });
});
