// What both tabs show: bars, weights as shades, and a way through them by keyboard. Text is only ever set as text.

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

// A list of [text, probability], each text in the element that `named` makes.
export function showBars(list, ranked, named = (text) => element("span", text)) {
  list.replaceChildren(
    ...ranked.map(([text, probability]) => {
      const row = element("li");
      const bar = element("div", "", "bar");
      bar.style.setProperty("--share", probability.toFixed(4));
      bar.setAttribute("aria-hidden", "true");
      row.append(named(text), bar, element("span", percent(probability), "number"));
      return row;
    }),
  );
}

export function showLines(list, lines) {
  list.replaceChildren(...lines.map((line) => element("li", line)));
  list.hidden = !lines.length;
}

// One stop for the tab key; arrow keys move between cells, `across` to a row; what `told` says of one is put below.
export function roam(cells, across, reading, told) {
  const read = (i) => (reading.textContent = told(i));
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
      const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across };
      const next = event.key === "Home" ? 0 : event.key === "End" ? cells.length - 1 : i + (steps[event.key] ?? NaN);
      if (!cells[next]) return;
      event.preventDefault();
      cells[next].focus();
    };
  });
}
