"use strict";
// Charts: the medians over the seeds that are switched on, drawn by Vega, with a slider for the epochs.
const values = JSON.parse(document.getElementById("chart-values").textContent);

function shown(number) {
  if (!Number.isFinite(number)) return "not finite";
  const small = number !== 0 && Math.abs(number) < 0.001;
  return small || Math.abs(number) >= 1e6 ? number.toExponential(2) : String(Number(number.toPrecision(3)));
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return Number.isInteger(half) ? (sorted[half - 1] + sorted[half]) / 2 : sorted[Math.floor(half)];
}

function switchedOn(id, count) {
  const boxes = document.querySelectorAll(`#${id} input`);
  if (!boxes.length) return new Set(Array(count).keys());
  return new Set([...boxes].filter((box) => box.checked).map((box) => Number(box.value)));
}

// The points of a chart: for each network and place the median, and the lowest and highest value.
function points(chart, choice, epoch) {
  const networks = switchedOn("networks", values.networks.length);
  const seeds = switchedOn("seeds", values.seeds.length);
  const groups = new Map();
  for (const [of, network, seed, when, place, value] of chart.rows) {
    if (of !== choice || when !== epoch || !networks.has(network) || !seeds.has(seed)) continue;
    const key = `${network} ${place}`;
    if (!groups.has(key)) groups.set(key, { network, place, numbers: [] });
    groups.get(key).numbers.push(value ?? Infinity);
  }
  const inOrder = [...groups.values()].sort((a, b) => a.network - b.network || a.place - b.place);
  return inOrder.map(({ network, place, numbers }) => ({
    network,
    place,
    middle: median(numbers),
    low: Math.min(...numbers),
    high: Math.max(...numbers),
  }));
}

// What can be drawn of them: finite, and on a logarithmic axis larger than 0.
function drawable(found, log) {
  const fits = (number) => Number.isFinite(number) && (!log || number > 0);
  return found
    .filter((point) => fits(point.middle))
    .map((point) => ({ ...point, low: fits(point.low) ? point.low : point.middle, high: fits(point.high) ? point.high : point.middle }));
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

class Chart {
  constructor(chart) {
    this.chart = chart;
    this.part = document.getElementById(chart.name);
    this.select = this.part.querySelector("select");
    this.slider = this.part.querySelector("input[type=range]");
    this.place = null;
    this.select?.addEventListener("change", () => this.draw());
    this.slider?.addEventListener("input", () => this.update());
  }

  get choice() {
    return Number(this.select?.value ?? 0);
  }

  get epoch() {
    return Number(this.slider?.value ?? 0);
  }

  async draw() {
    this.view?.finalize();
    const spec = structuredClone(this.chart.specs[this.choice]);
    spec.datasets = { points: this.drawable() };
    const place = this.part.querySelector(".drawing");
    const options = { actions: false, ast: true, defaultStyle: false, renderer: "svg", tooltip: false };
    this.view = (await vegaEmbed(place, spec, options)).view;
    this.view.addSignalListener("hover", (name, hover) => this.read(hover?.place?.[0] ?? null));
    this.update();
  }

  drawable() {
    this.found = points(this.chart, this.choice, this.epoch);
    return drawable(this.found, JSON.stringify(this.chart.specs[this.choice]).includes('"type":"log"'));
  }

  update() {
    if (this.slider) {
      const epoch = this.chart.epochs[this.epoch];
      this.slider.setAttribute("aria-valuetext", `epoch ${epoch}`);
      this.part.querySelector("output").textContent = epoch;
    }
    this.view.data("points", this.drawable()).run();
    this.read(this.place);
    this.list();
  }

  // Says below the chart what its lines are at one place: where the pointer is, or at the end.
  read(place) {
    this.place = place;
    const places = Object.keys(this.chart.places).map(Number);
    const where = place ?? (this.slider ? places[0] : places[places.length - 1]);
    const name = this.chart.places[where];
    const head = `${this.chart.acrossIs} ${where}${name === String(where) ? "" : ` (${name})`}`;
    const here = this.found.filter((point) => point.place === where);
    const parts = here.map(({ network, middle, low, high }) => {
      const spread = low === high ? "" : ` (${shown(low)} to ${shown(high)})`;
      return `${values.networks[network]} ${shown(middle)}${spread}`;
    });
    const line = parts.length ? `${head}: ${parts.join("; ")}` : "Nothing is switched on.";
    this.part.querySelector(".reading").textContent = line[0].toUpperCase() + line.slice(1);
  }

  // Lists all that is drawn, a row a place.
  list() {
    const table = this.part.querySelector("table.drawn");
    const networks = [...new Set(this.found.map((point) => point.network))];
    const at = new Map(this.found.map((point) => [`${point.network} ${point.place}`, point]));
    const head = element("tr", "");
    head.append(element("th", this.chart.acrossIs, { scope: "col" }));
    head.append(...networks.map((network) => element("th", values.networks[network], { scope: "col" })));
    const rows = Object.entries(this.chart.places).map(([place, name]) => {
      const row = element("tr", "");
      row.append(element("th", name === place ? name : `${place}: ${name}`, { scope: "row" }));
      for (const network of networks) {
        const point = at.get(`${network} ${place}`);
        row.append(element("td", point ? shown(point.middle) : "", { class: "number" }));
      }
      return row;
    });
    table.replaceChildren(head, ...rows);
  }
}

async function begin() {
  const library = document.getElementById("library");
  const script = document.createElement("script");
  script.textContent = await (await unpack(library.textContent)).text();
  document.head.append(script);
  library.remove();
  document.getElementById("interactive").hidden = false;
  const charts = values.charts.map((chart) => new Chart(chart));
  for (const box of document.querySelectorAll("#networks input, #seeds input")) {
    box.addEventListener("change", () => charts.forEach((chart) => chart.update()));
  }
  for (const chart of charts) await chart.draw();
  document.documentElement.dataset.charts = "drawn";
}

begin().catch((error) => {
  document.getElementById("interactive").hidden = true;
  document.getElementById("no-charts").hidden = false;
  throw error;
});
