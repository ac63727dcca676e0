// A list whose rows can be chosen: <form data-bulk="name of the boxes"> counts them.
for (const form of document.querySelectorAll("form[data-bulk]")) {
  const boxes = [...document.querySelectorAll(`input[name="${form.dataset.bulk}"][form="${form.id}"]`)];
  const every = form.querySelector("[data-every]");
  const count = form.querySelector("[data-count]");
  const words = count.textContent;
  every.closest("[hidden]").hidden = false;

  const show = () => {
    const chosen = boxes.filter((box) => box.checked);
    for (const box of boxes) box.closest("tr").classList.toggle("chosen", box.checked);
    for (const button of form.querySelectorAll("button")) button.disabled = !chosen.length;
    count.textContent = chosen.length ? `${words} ${chosen.length}` : words;
    every.checked = chosen.length === boxes.length;
    every.indeterminate = chosen.length > 0 && !every.checked;
  };
  every.addEventListener("change", () => {
    for (const box of boxes) box.checked = every.checked;
    show();
  });
  for (const box of boxes) box.addEventListener("change", show);
  addEventListener("pageshow", show);
}
