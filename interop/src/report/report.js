"use strict";
const fields = JSON.parse(document.getElementById("data").textContent);
const matrix = document.getElementById("matrix");
const buttons = [...matrix.querySelectorAll("button.field")];
const panel = document.getElementById("panel");

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

// A line of the panel. A failure's details are a copy of those further down on the page.
function listed(cell) {
  const item = element("li");
  const head = [element("span", "tag " + cell.mark, cell.words), " " + cell.about + " ", element("small", "", cell.took)];
  const details = document.getElementById(cell.id);
  if (details) {
    const copy = element("details");
    const summary = element("summary");
    summary.append(...head);
    copy.append(summary, details.querySelector("div").cloneNode(true));
    copy.open = true;
    item.append(copy);
  } else {
    const line = element("p");
    line.append(...head);
    item.append(line);
    for (const more of [cell.note, cell.why]) if (more) item.append(element("p", "", more));
  }
  const id = element("code", "", cell.id);
  item.append(id);
  return item;
}

function open(number) {
  const field = fields[number];
  document.getElementById("panel-title").textContent = field.pair + ", " + field.mechanism + ", " + field.scenario + ", " + field.peer;
  const list = element("ul");
  const rank = ["ours", "undecided", "unlisted", "known", "missing", "passed"];
  const cells = [...field.cells].sort((a, b) => rank.indexOf(a.mark) - rank.indexOf(b.mark));
  list.append(...cells.map(listed));
  document.getElementById("panel-body").replaceChildren(list);
  panel.showModal();
  panel.scrollTop = 0;
}

// Of all fields only one is a stop of the tab key; the arrow keys go on from there.
function stop(button) {
  for (const other of buttons) other.tabIndex = other === button ? 0 : -1;
}

function neighbour(button, key) {
  const row = button.closest("tr");
  const column = button.closest("td").cellIndex;
  const across = [...row.querySelectorAll("button.field")];
  const at = across.indexOf(button);
  if (key === "ArrowLeft") return across[at - 1];
  if (key === "ArrowRight") return across[at + 1];
  if (key === "Home") return across[0];
  if (key === "End") return across[across.length - 1];
  const rows = [...matrix.querySelectorAll("tr:not(.peer)")].filter((one) => one.offsetParent !== null);
  const step = key === "ArrowUp" ? -1 : 1;
  for (let n = rows.indexOf(row) + step; rows[n]; n += step) {
    const found = rows[n].cells[column]?.querySelector("button.field");
    if (found) return found;
  }
}

if (buttons.length > 0) stop(buttons[0]);
matrix.addEventListener("click", (event) => {
  const button = event.target.closest("button.field");
  if (!button) return;
  stop(button);
  open(Number(button.dataset.field));
});
matrix.addEventListener("keydown", (event) => {
  const button = event.target.closest("button.field");
  if (!button || !["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  const next = neighbour(button, event.key);
  if (!next) return;
  stop(next);
  next.focus();
});
panel.addEventListener("click", (event) => {
  if (event.target === panel) panel.close();
});
document.getElementById("only").addEventListener("change", (event) => {
  matrix.classList.toggle("only", event.target.checked);
  const shown = buttons.filter((button) => button.offsetParent !== null);
  if (shown.length > 0) stop(shown[0]);
});
// The address of a failure opens it.
function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}
addEventListener("hashchange", follow);
follow();
