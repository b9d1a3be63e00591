// Parts of a page that refresh themselves: what a reader opened, scrolled or marked there stays.
const kept = new WeakMap();

function isLive(part) {
  return part instanceof Element && part.classList.contains("live");
}

// Focus is kept by htmx: it finds an element with the same id.
document.addEventListener("htmx:beforeSwap", ({ target }) => {
  if (!isLive(target)) return;
  kept.set(target, {
    open: [...target.querySelectorAll("details[open][id]")].map((each) => each.id),
    scrolled: [...target.querySelectorAll("[id]")]
      .filter((each) => each.scrollTop || each.scrollLeft)
      .map((each) => [each.id, each.scrollLeft, each.scrollTop]),
  });
});

document.addEventListener("htmx:afterSwap", ({ target }) => {
  const before = kept.get(target);
  if (!before) return;
  for (const id of before.open) document.getElementById(id)?.setAttribute("open", "");
  for (const [id, left, top] of before.scrolled) document.getElementById(id)?.scrollTo(left, top);
});

// Whoever marks words, to copy them, keeps them: the part refreshes when nothing is marked.
document.addEventListener("htmx:beforeRequest", (event) => {
  const marked = document.getSelection();
  const isMarking = marked && !marked.isCollapsed && event.target.contains(marked.anchorNode);
  if (isLive(event.target) && isMarking) event.preventDefault();
});
