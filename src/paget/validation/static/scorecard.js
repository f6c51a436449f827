"use strict";
// Filter by verdict: a section whose rows are all hidden goes with them.
const buttons = document.querySelectorAll(".filters button");
function show(outcome) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.show === outcome));
  for (const row of document.querySelectorAll("[data-outcome]")) row.hidden = outcome !== "" && row.dataset.outcome !== outcome;
  for (const section of document.querySelectorAll("main > section")) {
    const rows = [...section.querySelectorAll("[data-outcome]")];
    section.hidden = rows.length > 0 && rows.every((row) => row.hidden);
  }
}
for (const button of buttons) button.addEventListener("click", () => show(button.dataset.show));
