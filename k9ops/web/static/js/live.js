// Keep regions fresh: <div id data-live="address" data-every="seconds"> is replaced in place.
// A region whose fresh copy has no data-live any more is finished.
for (const region of document.querySelectorAll("[data-live]")) watch(region);

function watch(region) {
  let last = null;
  let wait = Number(region.dataset.every || 3) * 1000;
  const usual = wait;
  const turn = async () => {
    if (!region.dataset.live) return;
    if (!document.hidden) {
      try {
        last = await refresh(region, last);
        wait = usual;
      } catch {
        wait = Math.min(wait * 2, 60000);
      }
    }
    setTimeout(turn, wait);
  };
  setTimeout(turn, wait);
}

async function refresh(region, last) {
  const response = await fetch(region.dataset.live, { headers: { Accept: "text/html" } });
  if (response.redirected || response.status === 401) return location.reload();
  if (!response.ok) throw new Error(String(response.status));
  const text = await response.text();
  if (text === last || isBusy(region)) return last;
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(region.id);
  if (!fresh) throw new Error("no such region");
  const open = [...region.querySelectorAll("details[open][id]")].map((details) => details.id);
  const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
  region.replaceChildren(...fresh.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus();
  if (fresh.dataset.live) region.dataset.live = fresh.dataset.live;
  else delete region.dataset.live;
  document.title = fresh.dataset.title || document.title;
  return text;
}

// Somebody is about to press something there, or is selecting text: not now.
function isBusy(region) {
  const selection = getSelection();
  const selecting = selection && !selection.isCollapsed && region.contains(selection.anchorNode);
  const active = document.activeElement;
  return selecting || (active && region.contains(active) && active.matches("select, input, button"));
}
