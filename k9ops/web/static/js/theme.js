// Change the theme at once; the server keeps it for the next page.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-theme-switch]");
  if (!form) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  document.documentElement.dataset.theme = data.get("theme");
  fetch(form.action, { method: "POST", body: data, redirect: "manual" });
});

// A menu closes when something else is touched, or by Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
