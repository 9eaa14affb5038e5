"use strict";
/* The network as an SVG picture: a card for each unit with its weights, z and a, and lines from card to card. Each
   number stands beside the derivative of the error by it, and a weight beside its new value. */

const SVG = "http://www.w3.org/2000/svg";
const [ROW, PAD, GAP, DIGIT] = [25, 10, 64, 9.6]; // lengths in the picture's own units; its letters are 17 high
const BETWEEN = 10; // the space between two cards
const [VALUE, SLOPE, NEW] = [112, 116, 124]; // widths of numbers

function svg(name, attributes, ...content) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

/** Return the columns of the picture: titles, and the rows of each card. A row has the names of its three numbers. */
function columnsOf(lines) {
  const { network, text, last } = lines;
  const inputs = lines.x(0).map((x) => ({ rows: [{ of: x, kind: "x" }] }));
  const columns = [{ title: text.input, detail: "", cards: inputs }];
  network.layers.forEach((layer, number) => {
    if (lines.isDense(number)) {
      const units = lines.z(number).map((z, unit) => {
        const weights = lines.places(number).filter(([, place]) => place[place.length - 1] === unit);
        const rows = weights.map(([letter, place]) => ({
          of: lines.weight(number, letter, place),
          weight: { number, letter, place },
          slope: true,
          renewed: true,
        }));
        return { rows: [...rows, { of: z, kind: "z", slope: true }], number, unit };
      });
      columns.push({ title: layer.name, detail: "", cards: units });
    }
    const column = columns[columns.length - 1];
    if (!lines.passes(number)) {
      lines.a(number).forEach((a, unit) => column.cards[unit].rows.push({ of: a, slope: true }));
    }
    if (layer.activation !== "linear") column.detail = [column.detail, layer.activation].filter(Boolean).join(", ");
  });
  const error = lines.symbol(["E", null], [], lines.state.total);
  const rows = [...lines.targets().map((of) => ({ of })), ...lines.penalties().map((of) => ({ of, computed: true }))];
  const several = lines.state.each && lines.examples.length > 1;
  if (several) rows.push({ of: { key: "E(example)", drawn: `E(${lines.example})` }, computed: true });
  rows.push({ of: error, computed: true, renewed: true });
  return [...columns, { title: text.error, detail: "", cards: [{ rows, number: last + 1, unit: 0 }] }];
}

class NetworkPicture {
  /** Draw the network; `chosen` is called with a weight that is pointed at, `opened` with one that is pressed. */
  constructor(place, lines, { chosen, opened, revealed }) {
    Object.assign(this, { numbers: new Map(), weights: new Map(), cables: [], columns: columnsOf(lines) });
    Object.assign(this, { chosen, opened, revealed });
    const [width, height] = this.layOut();
    this.root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": lines.text.network });
    this.root.style.setProperty("--natural", `${width}px`);
    this.columns.slice(1).forEach((column, place_) => this.join(this.columns[place_], column));
    for (const column of this.columns) this.drawColumn(column, lines.text);
    place.replaceChildren(this.root);
  }

  layOut() {
    const heads = 3 * ROW;
    const tall = (column) => column.cards.reduce((sum, card) => sum + card.rows.length * ROW + 2 * PAD + BETWEEN, -BETWEEN);
    const height = Math.max(...this.columns.map(tall));
    let left = 4;
    for (const column of this.columns) {
      const rows = column.cards.flatMap((card) => card.rows);
      column.named = Math.max(...rows.map((row) => row.of.drawn.length)) * DIGIT + 8;
      column.hasSlope = rows.some((row) => row.slope);
      column.hasNew = rows.some((row) => row.renewed);
      column.left = left;
      column.width = 2 * PAD + column.named + VALUE + (column.hasSlope ? SLOPE : 0) + (column.hasNew ? NEW : 0);
      let top = heads + (height - tall(column)) / 2;
      for (const card of column.cards) {
        card.top = top;
        top += card.rows.length * ROW + 2 * PAD + BETWEEN;
      }
      left += column.width + GAP;
    }
    return [left - GAP + 4, heads + height + 6];
  }

  middle(card, place) {
    return card.top + PAD + (place + 0.5) * ROW;
  }

  /** Draw a line from the output of each unit to the weights that it is multiplied by. */
  join(before, after) {
    for (const target of after.cards) {
      before.cards.forEach((source, number) => {
        const at = target.rows[number]?.weight?.letter === "W" ? number : 0;
        const [x, y] = [before.left + before.width, this.middle(source, source.rows.length - 1)];
        const [end, low] = [after.left, this.middle(target, at)];
        const path = svg("path", { class: "cable", d: `M${x} ${y}C${x + GAP / 2} ${y} ${end - GAP / 2} ${low} ${end} ${low}` });
        this.cables.push({ path, column: this.columns.indexOf(after), unit: after.cards.indexOf(target), source: number });
        this.root.append(path);
      });
    }
  }

  drawColumn(column, text) {
    const [middle, top] = [column.left + column.width / 2, Math.min(...column.cards.map((card) => card.top))];
    const room = Math.floor((column.width + GAP / 2) / 8.6);
    const short = column.title.length > room ? `${column.title.slice(0, room - 1)}…` : column.title;
    const title = svg("text", { class: "title", x: middle, y: top - 1.95 * ROW }, short);
    if (short !== column.title) title.append(svg("title", {}, column.title));
    this.root.append(title, svg("text", { class: "detail", x: middle, y: top - 1.2 * ROW }, column.detail));
    const rights = this.rights(column);
    const heads = [[text.value, "forward", 0], ["∂E/∂", "backward", 1], [text.new, "new", 2]];
    for (const [word, ink, place] of heads) {
      if (rights[place]) {
        const head = svg("text", { class: `head ${ink}`, x: rights[place], y: top - 0.35 * ROW }, word);
        this.numbers.set(`${columnKey(column)} head ${ink}`, { element: head, head: ink });
        this.root.append(head);
      }
    }
    for (const card of column.cards) this.drawCard(column, card, rights);
  }

  rights({ left, named, hasSlope, hasNew }) {
    const value = left + PAD + named + VALUE;
    return [value, hasSlope && value + SLOPE, hasNew && value + (hasSlope ? SLOPE : 0) + NEW];
  }

  drawCard(column, card, rights) {
    const height = card.rows.length * ROW + 2 * PAD;
    this.root.append(svg("rect", { class: "card", x: column.left, y: card.top, width: column.width, height, rx: 8 }));
    const weights = card.rows.filter((row) => row.weight).length;
    if (weights) {
      const y = card.top + PAD + weights * ROW;
      this.root.append(svg("path", { class: "rule", d: `M${column.left} ${y}h${column.width}` }));
    }
    card.rows.forEach((row, place) => this.drawRow(column, card, row, place, rights));
  }

  drawRow(column, card, row, place, rights) {
    const y = this.middle(card, place);
    const group = svg("g", { class: row.weight ? "row weight" : "row" });
    const symbol = svg("text", { class: "symbol", x: column.left + PAD, y }, row.of.drawn);
    if (row.of.key === "E(example)") this.exampleSymbol = symbol;
    const box = { class: "hit", x: column.left + 3, y: y - ROW / 2, width: column.width - 6, height: ROW, rx: 4 };
    group.append(svg("rect", box), symbol);
    const put = (key, ink, right) => {
      const element = svg("text", { class: `number ${ink}`, x: right, y });
      element.addEventListener("click", () => this.revealed(key));
      this.numbers.set(key, { element });
      group.append(element);
    };
    put(row.of.key, "forward", rights[0]);
    if (row.slope) put(`dE/d${row.of.key}`, "backward", rights[1]);
    if (row.renewed) put(`new ${row.of.key}`, "new", rights[2]);
    if (row.weight) this.makeWeight(group, row);
    this.root.append(group);
  }

  makeWeight(group, row) {
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    group.dataset.weight = row.of.key;
    for (const event of ["focus", "mouseenter"]) group.addEventListener(event, () => this.chosen(row.weight));
    group.addEventListener("click", () => this.opened(row.weight));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.opened(row.weight);
    });
    this.weights.set(row.of.key, group);
  }

  /** Write the numbers: `shown` gives for a key the number, "?" for a hidden one, or null for none yet. */
  write(shown, step, example) {
    if (this.exampleSymbol) this.exampleSymbol.textContent = `E(${example})`;
    for (const [key, { element, head }] of this.numbers) {
      if (head) {
        element.classList.toggle("later", (head === "backward" && step < 3) || (head === "new" && step < 4));
        continue;
      }
      const value = shown(key);
      element.textContent = value === null ? "" : value === "?" ? "?" : plainNumber(value);
      element.classList.toggle("hidden-number", value === "?");
      if (typeof value === "number") element.dataset.value = value;
      else delete element.dataset.value;
      element.dataset.key = key;
    }
    for (const [key, group] of this.weights) group.setAttribute("aria-label", weightLabel(key, shown));
    this.root.dataset.step = step;
  }

  /** Mark a weight, and the lines from it to the error. */
  mark(key, weight) {
    for (const [name, group] of this.weights) group.classList.toggle("chosen", name === key);
    const cards = this.columns.map((column) => column.cards.findIndex((card) => card.rows.some((row) => row.of.key === key)));
    const column = cards.findIndex((card) => card >= 0);
    for (const cable of this.cables) {
      const own = cable.column === column && cable.unit === cards[column] && cable.source === weight?.place[0];
      const behind = cable.column > column + 1 || (cable.column === column + 1 && cable.source === cards[column]);
      const on = column >= 0 && ((own && weight.letter === "W") || behind);
      cable.path.classList.toggle("on", on);
    }
  }
}

function columnKey(column) {
  return `column ${column.left}`;
}

function weightLabel(key, shown) {
  const parts = [key, `dE/d${key}`, `new ${key}`].map((name) => [name, shown(name)]);
  const known = parts.filter(([, value]) => typeof value === "number");
  return known.map(([name, value]) => `${name} = ${plainNumber(value)}`).join(", ") || key;
}
