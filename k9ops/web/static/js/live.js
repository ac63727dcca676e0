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
  blend(region, fresh);
  if (fresh.dataset.live) region.dataset.live = fresh.dataset.live;
  else delete region.dataset.live;
  document.title = fresh.dataset.title || document.title;
  return text;
}

// Make `now` as `fresh` is, and leave alone what is so already: scroll, focus and open details stay.
function blend(now, fresh) {
  const wanted = [...fresh.childNodes];
  wanted.forEach((node, place) => {
    const there = now.childNodes[place];
    if (!there) now.append(node);
    else if (!there.isEqualNode(node)) change(there, node);
  });
  while (now.childNodes.length > wanted.length) now.lastChild.remove();
}

function change(there, node) {
  if (node.nodeType !== Node.ELEMENT_NODE || there.nodeName !== node.nodeName || there.id !== node.id) return there.replaceWith(node);
  for (const { name, value } of [...node.attributes]) if (there.getAttribute(name) !== value) there.setAttribute(name, value);
  for (const { name } of [...there.attributes]) {
    const kept = (name === "open" && there.matches("details")) || (name === "hidden" && there.matches("[data-apply]"));
    if (!node.hasAttribute(name) && !kept) there.removeAttribute(name);
  }
  blend(there, node);
}

// Somebody is about to press something there, or is selecting text: not now.
function isBusy(region) {
  const selection = getSelection();
  const selecting = selection && !selection.isCollapsed && region.contains(selection.anchorNode);
  const active = document.activeElement;
  return selecting || (active && region.contains(active) && active.matches("select, input, button"));
}
