// A click on a heading sorts its table: up, then down. Without scripts the page is the same.
for (const table of document.querySelectorAll(".table table")) {
  const body = table.tBodies[0];
  if (body.rows.length < 3) continue;
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const numeric = heading.className === "number";
    // 1.283(4), 1.2(3)e+16 and -5.1 without their errors and marks; NaN where there is no number
    const value = (row) => {
      const text = row.cells[column].childNodes[0]?.textContent ?? "";
      return numeric ? parseFloat(text.replace(/\(.*?\)/, "")) : text;
    };
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.ariaSort === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row) => [value(row), row]);
      const absent = ([key]) => numeric && Number.isNaN(key);
      const order = ([a], [b]) => (numeric ? a - b : a.localeCompare(b, "en", { numeric: true }));
      const sorted = rows.filter((row) => !absent(row)).sort(order);
      if (down) sorted.reverse();
      body.append(...sorted.concat(rows.filter(absent)).map(([, row]) => row));
    });
  });
}
