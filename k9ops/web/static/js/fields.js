// Filters apply when chosen; their button is only for pages without scripts.
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.querySelector("[data-apply]")?.setAttribute("hidden", "");
  form.addEventListener("change", () => form.requestSubmit());
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (!field.value) field.disabled = true;
  });
}
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form[data-auto] :disabled")) field.disabled = false;
});

// Show what is being typed into a password field.
for (const button of document.querySelectorAll("[data-reveal]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const field = document.getElementById(button.dataset.reveal);
    const hidden = field.type === "password";
    field.type = hidden ? "text" : "password";
    button.querySelector("span").textContent = hidden ? button.dataset.hide : button.dataset.show;
    field.focus();
  });
}

// A menu closes when one presses elsewhere, or Escape; then the way back is its own button.
const openMenus = () => document.querySelectorAll("details.menu[open]");
addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
