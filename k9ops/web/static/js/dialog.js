// A link to a question shows the question in a dialog; without scripts it is a page of its own.
const dialog = document.getElementById("dialog");

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  ask(link.href);
});

// So does a button of a form that asks about what is chosen.
document.addEventListener("submit", (event) => {
  if (!dialog || !event.submitter?.matches("[data-dialog]")) return;
  event.preventDefault();
  const chosen = new URLSearchParams(new FormData(event.target, event.submitter));
  ask(`${event.target.getAttribute("action")}?${chosen}`);
});

async function ask(url) {
  const question = await fetchQuestion(url);
  if (!question) return location.assign(url);
  const title = question.querySelector("h1");
  title.id = "dialog-title";
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.replaceChildren(question);
  dialog.showModal();
}

async function fetchQuestion(url) {
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return response.ok ? page.querySelector(".confirm") : null;
  } catch {
    return null;
  }
}

dialog?.addEventListener("click", (event) => {
  if (event.target !== dialog && !event.target.closest("[data-close]")) return;
  event.preventDefault();
  dialog.close();
});
