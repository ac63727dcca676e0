// While a form is filled in, show what it would come to: <form data-preview="id of the region">.
for (const form of document.querySelectorAll("form[data-preview]")) {
  let waiting = 0;
  let asked = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 350);
  });

  const show = async () => {
    const turn = ++asked;
    const data = new FormData(form);
    data.set("preview", "yes");
    try {
      const response = await fetch(form.action, { method: "POST", body: data });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById(form.dataset.preview);
      if (fresh && turn === asked) document.getElementById(form.dataset.preview).replaceChildren(...fresh.childNodes);
    } catch {
      // The button shows it too, and says what is wrong.
    }
  };

  // Somebody may type before this script has come, and browsers bring back what was typed.
  if ([...form.elements].some(isChanged)) show();
}

function isChanged(field) {
  if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.checked !== field.defaultChecked || field.value !== (field.defaultValue ?? field.value);
}
