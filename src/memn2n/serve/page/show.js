// Parts of both tabs: bars, shades for weights, and keyboard navigation. User input is inserted as text, never as HTML.

export const byId = (id) => document.getElementById(id);

export function element(name, text = "", classes = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = classes;
  return made;
}

export const percent = (share) => `${(100 * share).toFixed(1)}%`;

export function shade(target, weight) {
  target.classList.add("shaded");
  target.classList.toggle("half", weight > 0.55);
  target.classList.toggle("most", weight > 0.83);
  target.style.setProperty("--weight", weight.toFixed(4));
}

// Shows [text, probability] pairs as a list of bars. `makeLabel` returns the element for a text.
export function showBars(list, ranked, makeLabel = (text) => element("span", text)) {
  list.replaceChildren(
    ...ranked.map(([text, probability]) => {
      const row = element("li");
      const bar = element("div", "", "bar");
      bar.style.setProperty("--share", probability.toFixed(4));
      bar.setAttribute("aria-hidden", "true");
      row.append(makeLabel(text), bar, element("span", percent(probability), "number"));
      return row;
    }),
  );
}

export function showLines(list, lines) {
  list.replaceChildren(...lines.map((line) => element("li", line)));
  list.hidden = !lines.length;
}

// Makes the tab key select one of the cells and the arrow keys move between them. A row has `columns` cells. The text
// that `describe` returns for the selected cell appears in the element `reading`.
export function addNavigation(cells, columns, reading, describe) {
  const read = (i) => (reading.textContent = describe(i));
  reading.textContent = reading.dataset.hint;
  cells.forEach((cell, i) => {
    cell.tabIndex = i === 0 ? 0 : -1;
    cell.setAttribute("aria-describedby", reading.id);
    cell.onpointerenter = () => read(i);
    cell.onfocus = () => {
      cells.forEach((other) => (other.tabIndex = other === cell ? 0 : -1));
      read(i);
    };
    cell.onkeydown = (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
      const next = event.key === "Home" ? 0 : event.key === "End" ? cells.length - 1 : i + (steps[event.key] ?? NaN);
      if (!cells[next]) return;
      event.preventDefault();
      cells[next].focus();
    };
  });
}
