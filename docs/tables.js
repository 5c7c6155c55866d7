// A click on the head of a column sorts a table by it, numbers as numbers; a second click turns the order round.
document.addEventListener("click", (event) => {
  const head = event.target.closest("table:not([class]) th");
  if (!head) return;
  const body = head.closest("table").tBodies[0];
  const column = head.cellIndex;
  const down = head.ariaSort !== "descending";
  const value = (row) => {
    const text = row.cells[column]?.textContent.trim() ?? "";
    const number = Number.parseFloat(text.replaceAll(",", ""));
    return Number.isNaN(number) ? text : number;
  };
  const rows = [...body.rows].map((row) => [value(row), row]);
  rows.sort(([a], [b]) => {
    if (a === "" || b === "") return (a === "") - (b === ""); // empty cells stay at the end
    const order = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
    return down ? -order : order;
  });
  for (const other of head.parentElement.cells) other.ariaSort = null;
  head.ariaSort = down ? "descending" : "ascending";
  body.append(...rows.map(([, row]) => row));
});
