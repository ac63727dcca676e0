// What keys cannot do on the page as it stands: controls that Tab passes by, whose focus nobody
// sees, or which lie under something else while they have it. Needs a Tab pressed before.
() => {
  const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const root = document.querySelector("dialog[open], .menu[open] .sheet") || document.body;
  const name = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 140);

  // The bars of a sparkline are for pointers; keys have the list of runs.
  const isThere = (element) =>
    !element.disabled && !element.closest("svg") && element.type !== "hidden" && element.checkVisibility({ visibilityProperty: true });

  const hasSize = (box) => box.width && box.height;

  // The outline of a control may be drawn by what stands around it.
  const isOutlined = (element) => {
    for (let one = element, steps = 0; one && steps < 3; one = one.parentElement, steps++) {
      const style = getComputedStyle(one);
      if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) return true;
    }
    return false;
  };

  const isOnTop = (element) => {
    const box = [...element.getClientRects()].find(hasSize);
    const inside = (at, most) => Math.min(Math.max(at, 0), most - 1);
    const x = inside((Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2, innerWidth);
    const y = inside((Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2, innerHeight);
    const there = document.elementFromPoint(x, y);
    return there && (element.contains(there) || there.contains(element) || there.closest("label")?.contains(element));
  };

  const faultOf = (element) => {
    if (element.tabIndex < 0) return "Tab passes it by";
    element.focus();
    if (document.activeElement !== element) return "takes no focus";
    if (!isOutlined(element)) return "shows no focus";
    if (![...element.getClientRects()].some(hasSize)) return "takes the focus where nothing is to see";
    return isOnTop(element) ? "" : "is covered while it has the focus";
  };

  // Of controls that are alike the first and the last.
  const kinds = new Map();
  const kind = (element) => [element, element.parentElement].map((one) => one.tagName + one.className).join();
  for (const element of root.querySelectorAll(CONTROLS)) {
    if (!isThere(element)) continue;
    const [first = element] = kinds.get(kind(element)) || [];
    kinds.set(kind(element), [first, element]);
  }
  const all = [...new Set([...kinds.values()].flat())];
  const faults = [...all, ...all.toReversed()].map((element) => [faultOf(element), element]);
  return [...new Set(faults.filter(([fault]) => fault).map(([fault, element]) => `${fault}: ${name(element)}`))];
}
