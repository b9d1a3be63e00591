// Keys of the review desk. Everything they do can also be reached with Tab and Enter.
const cases = () => [...document.querySelectorAll("a.open")];

function move(step) {
  const links = cases();
  if (!links.length) return;
  const place = links.indexOf(document.activeElement);
  const next = place < 0 ? (step > 0 ? 0 : links.length - 1) : place + step;
  links[Math.min(Math.max(next, 0), links.length - 1)].focus();
}

function follow(id) {
  document.getElementById(id)?.click();
}

function toggleKeys() {
  const keys = document.getElementById("keys");
  if (!keys) return;
  keys.hidden = !keys.hidden;
  document.getElementById("show-keys").setAttribute("aria-expanded", String(!keys.hidden));
}

const ACTIONS = {
  j: () => move(1),
  k: () => move(-1),
  n: () => follow("next"),
  p: () => follow("previous"),
  q: () => follow("back"),
  a: () => follow("ambiguous"),
  b: () => document.querySelector("#decision select[name=assignee_id]")?.focus(),
  i: () => document.querySelector("#issues input")?.focus(),
  r: () => document.querySelector("#decision textarea")?.focus(),
  "?": toggleKeys,
};

function isTyping(target) {
  return target.matches("textarea, select, input:not([type=checkbox]):not([type=radio])");
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    follow("decide");
    return;
  }
  if (event.key === "Escape" && isTyping(event.target)) event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const grade = document.querySelectorAll("#decision input[name=grade]")[Number(event.key) - 1];
  if (grade) {
    grade.checked = true;
    grade.focus();
  } else if (ACTIONS[event.key]) {
    ACTIONS[event.key]();
  } else {
    return;
  }
  event.preventDefault();
});

function takeOver(button) {
  const row = button.closest("tr");
  const value = row.querySelector("input[name^='corrected:']");
  value.value = button.dataset.value;
  const faulty = row.querySelector("input[name=faulty_fields]");
  if (faulty) faulty.checked = true;
  value.focus();
}

for (const button of document.querySelectorAll("button.take-over")) {
  button.addEventListener("click", () => takeOver(button));
}

document.getElementById("show-keys")?.addEventListener("click", toggleKeys);
