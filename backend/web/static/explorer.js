// Ticking on the page of the records: how many are ticked. All else works without.
const choice = document.getElementById("choice");

function tell() {
  const boxes = [...choice.querySelectorAll("input[name=record_id]")];
  const ticked = boxes.filter((box) => box.checked).length;
  document.getElementById("ticked").textContent = ticked ? `(${ticked})` : "";
  if (ticked) choice.querySelector("input[name=which][value=ticked]").checked = true;
}

if (choice) {
  choice.addEventListener("change", (event) => {
    if (event.target.name === "record_id") tell();
  });
  tell();
}

// On a narrow screen the filters come first: they are folded until somebody wants them.
const filters = document.querySelector("details.facets");
if (filters && window.matchMedia("(max-width: 900px)").matches) filters.removeAttribute("open");
