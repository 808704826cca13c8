"use strict";
(() => {
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  // Numbers by size; what has none comes last in both directions.
  const byNumber = sign => (a, b) => {
    const x = a.dataset.value, y = b.dataset.value;
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    return sign * (Number(x) - Number(y));
  };
  const byText = sign => (a, b) => sign * compare(a.textContent.trim(), b.textContent.trim());

  // Search and filters over items: rows of a table or cards. `valuesOf` gives an item's values under a filter.
  function choose(tools, items, valuesOf) {
    if (!tools) return;
    const search = tools.querySelector(".search"), output = tools.querySelector("output");
    const filters = [...tools.querySelectorAll(".filter")];
    for (const filter of filters) {
      const values = new Set(items.flatMap(item => valuesOf(item, filter)));
      values.delete("");
      for (const value of [...values].sort(compare)) filter.append(new Option(value, value));
      filter.closest("label").hidden = values.size === 0;
    }
    const apply = () => {
      const words = search ? search.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
      let shown = 0;
      for (const item of items) {
        const text = words.length ? item.textContent.toLowerCase() : "";
        const fits = words.every(word => text.includes(word))
          && filters.every(filter => !filter.value || valuesOf(item, filter).includes(filter.value));
        item.hidden = !fits;
        shown += fits;
      }
      output.textContent = shown + " of " + items.length;
    };
    for (const control of [search, ...filters]) if (control) control.addEventListener("input", apply);
    tools.hidden = false;
    apply();
  }

  for (const figure of document.querySelectorAll("figure.table")) {
    const table = figure.querySelector("table"), body = table.tBodies[0], rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (!head.dataset.sort || rows.length < 2) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const number = head.dataset.sort === "number", now = head.getAttribute("aria-sort");
        // Numbers start with the largest.
        const up = now ? now === "descending" : !number;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const order = (number ? byNumber : byText)(up ? 1 : -1);
        rows.sort((a, b) => order(a.cells[column], b.cells[column]));
        body.append(...rows);
      });
    });
    choose(figure.querySelector(".tools"), [...rows], (row, filter) => [row.cells[filter.dataset.column].textContent.trim()]);
  }

  for (const collection of document.querySelectorAll(".collection")) {
    const tools = collection.querySelector(":scope > .tools"), box = collection.querySelector(":scope > .cards");
    const cards = [...box.children];
    const facts = (card, name) => [...card.querySelectorAll("[data-fact]")].filter(fact => fact.dataset.fact === name);
    choose(tools, cards, (card, filter) =>
      facts(card, filter.dataset.fact).map(fact => fact.querySelector("dd").textContent.trim()));
    const order = tools && tools.querySelector(".order");
    if (order) order.addEventListener("input", () => {
      const option = order.selectedOptions[0], none = { dataset: {} };
      const fact = new Map(cards.map(card => [card, facts(card, option.value)[0] || none]));
      const by = byNumber(Number(option.dataset.sign));
      box.append(...(option.value ? [...cards].sort((a, b) => by(fact.get(a), fact.get(b))) : cards));
    });
  }

  // Values of line charts at the place nearest to the pointer.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  for (const svg of document.querySelectorAll("svg[data-follow]")) {
    const series = [...svg.querySelectorAll("path[data-points]")].map(path => ({
      name: path.dataset.name,
      points: path.dataset.points.split(";").map(point => {
        const [place, x, y] = point.split("|"), [left, top] = place.split(",").map(Number);
        return { left, top, x, y };
      }),
    }));
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
    cursor.setAttribute("class", "cursor");
    const leave = () => { tip.hidden = true; cursor.remove(); };
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("pointermove", event => {
      const matrix = svg.getScreenCTM();
      if (!matrix || !series.length) return;
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse()).x;
      const near = series.map(one => one.points.reduce((best, point) =>
        Math.abs(point.left - at) < Math.abs(best.left - at) ? point : best));
      const first = near.reduce((best, point) => Math.abs(point.left - at) < Math.abs(best.left - at) ? point : best);
      const lines = near.flatMap((point, n) => Math.abs(point.left - first.left) < 4 ? [series[n].name + ": " + point.y] : []);
      tip.textContent = first.x + "\n" + lines.join("\n");
      tip.hidden = false;
      for (const [name, value] of [["x1", first.left], ["x2", first.left], ["y1", 0], ["y2", svg.viewBox.baseVal.height]])
        cursor.setAttribute(name, value);
      svg.append(cursor);
      const box = tip.getBoundingClientRect(), right = event.clientX + 14 + box.width > document.documentElement.clientWidth;
      tip.style.left = Math.max(4, right ? event.clientX - 14 - box.width : event.clientX + 14) + "px";
      tip.style.top = Math.max(4, event.clientY - box.height - 10) + "px";
    });
  }
})();
