// Ctrl K leads to the search, whatever the keyboard's language; on a phone to its page.
const boxes = [...document.querySelectorAll("[data-find]")];
for (const box of boxes) box.form.querySelector("kbd").hidden = false;
addEventListener("keydown", (event) => {
  const asked = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.code === "KeyK";
  if (!asked || !boxes.length || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  const box = boxes.find((one) => one.checkVisibility());
  if (!box) return location.assign(boxes[0].form.action);
  box.focus();
  box.select();
});
