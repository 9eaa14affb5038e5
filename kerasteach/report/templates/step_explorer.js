"use strict";
/* The page: which step and example is shown, what is hidden, and what the reader changes. */

const network = readNetwork();
const page = { step: 1, example: 0, hidden: false, revealed: new Set(), weight: null };
let state = tracedStep(network);
let lines = new Lines(network, state, 0);
const picture = new NetworkPicture(found("network"), lines, {
  chosen: choose,
  opened: (weight) => found(`field-${keyOf(weight)}`)?.select(),
  revealed: reveal,
});

function found(id) {
  return document.getElementById(id);
}

/** Return the network that the page is about; numbers that JSON lacks are texts there. */
function readNetwork() {
  const read = JSON.parse(found("data").textContent);
  const numbers = (values) => (Array.isArray(values) ? values.map(numbers) : values === null ? null : Number(values));
  const of = (object, names) => names.forEach((name) => (object[name] = numbers(object[name])));
  of(read, ["each", "total", "next", "rate"]);
  of(read.loss, ["targets"]);
  for (const layer of read.layers) {
    of(layer, ["x", "z", "a", "error", "delta", "slope", "penalty"]);
    for (const weight of Object.values(layer.weights)) of(weight, ["before", "gradient", "after", "penalty"]);
  }
  return read;
}

function keyOf({ number, letter, place }) {
  return lines.weight(number, letter, place).key;
}

/** Return all numbers by their keys, each with the step in which it appears. */
function allNumbers() {
  const numbers = new Map();
  const put = (step) => (formula) => numbers.set(formula.key, { step, value: formula.value });
  [...lines.x(0), ...lines.targets()].forEach(put(1));
  state.layers.forEach((layer, number) => {
    for (const [letter, place] of lines.places(number)) {
      put(1)(lines.weight(number, letter, place));
      if (lines.isTrained(number, letter)) put(3)(lines.gradient(number, letter, place));
      put(4)(lines.renewed(number, letter, place));
    }
    if (lines.isDense(number)) lines.z(number).forEach(put(2));
    if (!lines.passes(number)) lines.a(number).forEach(put(2));
    [...lines.errors(number), ...lines.deltas(number)].forEach(put(3));
  });
  lines.penalties().forEach(put(2));
  if (state.each) numbers.set("E(example)", { step: 2, value: state.each[page.example] });
  numbers.set("E", { step: 2, value: state.total });
  numbers.set("new E", { step: 4, value: state.next });
  return numbers;
}

/** Return what is shown for a key at a step: the number, "?" where it is hidden, null where it comes later. */
function shownAt(numbers, step) {
  return (key) => {
    const number = numbers.get(key);
    if (!number || number.step > step) return null;
    return page.hidden && number.step > 1 && !page.revealed.has(key) ? "?" : number.value;
  };
}

function reveal(key) {
  if (!page.hidden) return;
  page.revealed.add(key);
  render();
}

/* Formulas. */

function lineElement(line) {
  const element = document.createElement("div");
  element.className = "line";
  const left = ml("math", ml("mrow", ...line.left.write(false).flat()));
  element.append(left);
  const hidden = page.hidden && !page.revealed.has(line.key);
  const written = new Set();
  const add = (parts) => {
    const text = parts.map((part) => part.textContent).join("").replace(/^=/, "");
    if (!written.has(text)) element.append(...parts.flatMap((part) => ["\u200b", part])); // where a line may break
    written.add(text);
  };
  for (const form of line.forms) add(mathOf(form, false, "="));
  if (line.symbolsOnly) return element;
  if (hidden) {
    element.append(" ", ml("math", operator("=", "infix")), revealButton(line));
  } else {
    if (line.forms.length) add(mathOf(line.forms[line.forms.length - 1], true, "="));
    add(mathOf(line.left, true, "="));
    element.lastChild.classList.add("result");
    element.lastChild.dataset.result = line.key;
  }
  if (line.note) element.append(` (${line.note})`);
  return element;
}

function revealButton(line) {
  const button = document.createElement("button");
  button.className = "reveal";
  button.textContent = "?";
  button.setAttribute("aria-label", filled(network.text.show, { number: line.key }));
  button.addEventListener("click", () => {
    const section = button.closest("section");
    const place = [...section.querySelectorAll(".reveal")].indexOf(button);
    reveal(line.key);
    (section.querySelectorAll(".reveal")[place] ?? found("hide")).focus();
  });
  return button;
}

function itemElement(item) {
  if (item.left) return lineElement(item);
  const element = document.createElement(item.heading ? "h3" : "p");
  element.textContent = item.heading ?? item.sentence ?? "";
  if (!item.given) return element;
  element.className = "given";
  for (const formula of item.given) {
    const parts = [...mathOf(formula, false), ...mathOf(formula, true, "=")];
    const whole = document.createElement("span");
    whole.append(...parts);
    element.append(whole, " ");
  }
  return element;
}

function showFormulas() {
  lines.all().forEach((items, place) => {
    found(`formulas-${place + 1}`).replaceChildren(...items.map(itemElement));
    found(`step-${place + 1}`).hidden = place + 1 !== page.step;
  });
}

/** Let a formula that is wider than its column scroll, with the keyboard, too. */
function letScroll() {
  for (const line of document.querySelectorAll(".line")) {
    const wide = line.scrollWidth > line.clientWidth + 1;
    line.classList.toggle("wide", wide);
    if (wide) line.tabIndex = 0;
    else line.removeAttribute("tabindex");
  }
}

function showChain() {
  const key = page.weight && keyOf(page.weight);
  picture.mark(key, page.weight);
  if (!page.weight) return;
  found("chain").classList.remove("empty");
  const { number, letter, place } = page.weight;
  found("chain-title").textContent = filled(network.text.chainOf, { weight: key });
  found("chain-lines").replaceChildren(...new ChainRule(lines).of(number, letter, place).map(itemElement));
  letScroll();
}

function choose(weight) {
  page.weight = weight;
  showChain();
}

/* The whole page. */

function render() {
  lines = new Lines(network, state, page.example);
  showPicture(page.step);
  showFormulas();
  showChain();
  found("back").disabled = page.step === 1;
  found("next").disabled = page.step === 4;
  for (const button of document.querySelectorAll("[data-step-button]")) {
    if (Number(button.dataset.stepButton) === page.step) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
  const sentence = filled(network.text.steps[page.step - 1], {
    new: page.hidden ? "?" : plainNumber(state.next),
    old: page.hidden ? "?" : plainNumber(state.total),
  });
  letScroll();
  if (found("what").textContent !== sentence) found("what").textContent = sentence;
}

function showPicture(step) {
  picture.write(shownAt(allNumbers(), step), step, page.example);
}

function goTo(step) {
  page.step = Math.min(Math.max(step, 1), 4);
  render();
}

found("back").addEventListener("click", () => goTo(page.step - 1));
found("next").addEventListener("click", () => goTo(page.step + 1));
for (const button of document.querySelectorAll("[data-step-button]")) {
  button.addEventListener("click", () => goTo(Number(button.dataset.stepButton)));
}
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select, textarea");
  if (typing || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.key === "ArrowRight") goTo(page.step + 1);
  else if (event.key === "ArrowLeft") goTo(page.step - 1);
  else return;
  event.preventDefault();
});
found("hide").addEventListener("click", () => {
  page.hidden = !page.hidden;
  page.revealed.clear();
  found("hide").setAttribute("aria-pressed", page.hidden);
  render();
});
found("example")?.addEventListener("change", (event) => {
  page.example = Number(event.target.value);
  page.revealed.clear();
  render();
});
window.addEventListener("resize", letScroll);
// On paper all four steps stand below the whole network.
window.addEventListener("beforeprint", () => showPicture(4));
window.addEventListener("afterprint", () => showPicture(page.step));

/* What the reader changes. */

/** Return a number as it is typed: the shortest that is the same, in the precision in which it was traced. */
function typed(value) {
  const single = Math.fround(value) === value ? Math.fround : (number) => number;
  for (let length = 1; length < 17; length++) {
    const text = Number(value.toPrecision(length));
    if (single(text) === value) return String(text);
  }
  return String(value);
}

function recompute(weights, rate) {
  state = computedStep(network, weights, rate);
  page.revealed.clear();
  render();
}

function weightsNow() {
  return state.layers.map((layer) => structuredClone(layer.before));
}

function showInputs() {
  found("rate").value = typed(state.rate);
  showSlider();
  for (const { input, weight } of inputs) input.value = typed(lines.weight(weight.number, weight.letter, weight.place).value);
}

/** Put the slider, which has powers of ten, where the learning rate is. */
function showSlider() {
  const slider = found("slider");
  slider.value = Math.max(Math.log10(state.rate), Number(slider.min));
  slider.setAttribute("aria-valuetext", typed(state.rate));
}

/** Call `use` with the number in a field while it is one; put back the last one where the reader leaves it without. */
function onNumber(input, allowed, use) {
  const valid = () => input.value.trim() !== "" && allowed(Number(input.value));
  input.addEventListener("input", () => {
    input.setAttribute("aria-invalid", !valid());
    if (valid()) use(Number(input.value));
  });
  input.addEventListener("change", () => {
    if (valid()) return;
    input.removeAttribute("aria-invalid");
    showInputs();
  });
}

function weightInput(weight) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "number", step: "any", id: `field-${keyOf(weight)}` });
  const { number, letter, place } = weight;
  onNumber(input, Number.isFinite, (value) => {
    const weights = weightsNow();
    if (letter === "W") weights[number].W[place[0]][place[1]] = value;
    else weights[number].b[place[0]] = value;
    recompute(weights, state.rate);
  });
  input.addEventListener("focus", () => choose(weight));
  label.append(lines.weight(number, letter, place).drawn, " ", input);
  inputs.push({ input, weight });
  return label;
}

const inputs = [];

function letChange() {
  network.layers.forEach((layer, number) => {
    if (!lines.isDense(number)) return;
    const group = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = filled(network.text.layer, layer);
    group.append(legend, ...lines.places(number).map(([letter, place]) => weightInput({ number, letter, place })));
    found("weights").append(group);
  });
  onNumber(found("rate"), (rate) => Number.isFinite(rate) && rate >= 0, (rate) => {
    recompute(weightsNow(), rate);
    showSlider();
  });
  found("slider").addEventListener("input", () => {
    recompute(weightsNow(), Number((10 ** Number(found("slider").value)).toPrecision(3)));
    found("rate").value = typed(state.rate);
    found("slider").setAttribute("aria-valuetext", typed(state.rate));
  });
  found("reset").addEventListener("click", () => {
    state = tracedStep(network);
    render();
    showInputs();
  });
  found("repeat").addEventListener("click", () => {
    recompute(state.layers.map((layer) => layer.after), state.rate);
    showInputs();
  });
  showInputs();
}

if (network.computes) letChange();
render();
