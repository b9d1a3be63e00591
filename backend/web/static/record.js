// Keys of the page of a record. Everything they do can also be reached with Tab and Enter.
const LINKS = {
  j: "next",
  ArrowRight: "next",
  k: "previous",
  ArrowLeft: "previous",
  q: "back",
};

// Arrows move the cursor in a field, and a table that is wider than the screen.
function isInUse(target) {
  return target.matches("textarea, select, input") || target.closest(".scroll, summary") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (isInUse(event.target)) return;
  const link = document.getElementById(LINKS[event.key] ?? "");
  if (!link) return;
  link.click();
  event.preventDefault();
});
