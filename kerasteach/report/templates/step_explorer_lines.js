"use strict";
/* The lines of each step: headings, given numbers, and equations, for one example of the batch. An equation has `key`,
   the text of its symbol; `left`, the symbol; `forms`, its formulas; `note`, a remark. */

function filled(message, values) {
  return message.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

class Lines {
  constructor(network, state, example) {
    Object.assign(this, { network, state, example, text: network.text, last: network.layers.length - 1 });
    this.examples = state.layers[0].x.map((_, number) => number);
  }

  /* Symbols with their values. */

  symbol(name, index, value, ink = "forward") {
    const elements = () => symbolElements(name, index);
    return { ...atom(elements, value, ink), elements, key: symbolText(name, index), drawn: drawnSymbol(name, index) };
  }

  each(name, values) {
    return values.map((value, unit) => this.symbol(name, values.length > 1 ? [unit] : [], value));
  }

  x(number, example = this.example) {
    return this.each(this.network.layers[number].symbols.x, this.state.layers[number].x[example]);
  }

  z(number, example = this.example) {
    return this.each(this.network.layers[number].symbols.z, this.state.layers[number].z[example]);
  }

  a(number, example = this.example) {
    return this.each(this.network.layers[number].symbols.a, this.state.layers[number].a[example]);
  }

  targets(example = this.example) {
    const { targets } = this.network.loss;
    return targets ? this.each(["T", null], targets[example]) : [];
  }

  by(of, value) {
    const made = derivative(() => [ml("mi", "E")], of.elements, value);
    return { ...made, key: `dE/d${of.key}`, drawn: `∂E/∂${of.drawn}` };
  }

  errors(number, example = this.example) {
    return this.a(number, example).map((a, unit) => this.by(a, this.state.layers[number].error[example][unit]));
  }

  deltas(number, example = this.example) {
    return this.z(number, example).map((z, unit) => this.by(z, this.state.layers[number].delta[example][unit]));
  }

  weight(number, letter, place, values = this.state.layers[number].before[letter]) {
    const single = letter === "W" ? values.length * values[0].length === 1 : values.length === 1;
    const value = place.reduce((inner, index) => inner[index], values);
    const { depth } = this.network.layers[number];
    return this.symbol([single ? letter.toLowerCase() : letter, depth], single ? [] : place, value);
  }

  gradient(number, letter, place) {
    const value = place.reduce((inner, index) => inner[index], this.state.layers[number].gradient[letter]);
    return this.by(this.weight(number, letter, place), value);
  }

  renewed(number, letter, place) {
    const old = this.weight(number, letter, place);
    const { value } = this.weight(number, letter, place, this.state.layers[number].after[letter]);
    const elements = () => [ml("msup", ml("mrow", ...old.elements()), ml("mtext", this.text.new))];
    return { ...atom(elements, value, "new"), key: `new ${old.key}` };
  }

  /** Return the places of a layer's weights: [letter, place], W before b. */
  places(number) {
    const { W, b } = this.state.layers[number].before;
    const found = W ? W.flatMap((row, source) => row.map((_, unit) => ["W", [source, unit]])) : [];
    return b ? [...found, ...b.map((_, unit) => ["b", [unit]])] : found;
  }

  isDense(number) {
    return "W" in this.network.layers[number].weights;
  }

  isTrained(number, letter) {
    return this.state.layers[number].gradient[letter] !== null;
  }

  /** Return whether a layer's a is its z, written once. */
  passes(number) {
    const { z, a } = this.network.layers[number].symbols;
    return String(z) === String(a);
  }

  heading(number) {
    const layer = this.network.layers[number];
    return { heading: this.isDense(number) ? filled(this.text.layer, layer) : `${layer.name}:` };
  }

  /* The four steps. */

  all() {
    return [this.initial(), this.forward(), this.backward(), this.update()];
  }

  initial() {
    const items = [{ given: [...this.x(0), ...this.targets()] }];
    for (let number = 0; number <= this.last; number++) {
      if (!this.isDense(number)) continue;
      items.push(this.heading(number));
      items.push({ given: this.places(number).map((place) => this.weight(number, ...place)) });
    }
    return items;
  }

  forward() {
    const items = [];
    for (let number = 0; number <= this.last; number++) {
      const [z, a] = [this.z(number), this.a(number)];
      if (this.isDense(number) || !this.passes(number)) items.push(this.heading(number));
      if (this.isDense(number)) z.forEach((left, unit) => items.push(equation(left, [this.weightedSum(number, unit)])));
      if (!this.passes(number)) a.forEach((left, unit) => items.push(this.activation(number, left, z, unit)));
    }
    items.push({ heading: this.text.errorHeading });
    return [...items, ...this.errorLines()];
  }

  weightedSum(number, unit) {
    const x = this.x(number);
    const terms = x.map((input, source) => product(this.weight(number, "W", [source, unit]), input));
    if (this.state.layers[number].before.b) terms.push(this.weight(number, "b", [unit]));
    return total(...terms);
  }

  activation(number, left, z, unit) {
    const name = this.network.layers[number].activation;
    if (name === "softmax") {
      const powers = z.map((score) => applied("exp", score, Math.exp(Math.min(score.value, 700))));
      return equation(left, [quotient(powers[unit], total(...powers))]);
    }
    if (name === "linear") return equation(left, [z[unit]]);
    const forms = [applied(name, z[unit], left.value)];
    if (name === "sigmoid") {
      const power = applied("exp", negative(z[unit]), Math.exp(Math.min(-z[unit].value, 700)));
      forms.push(quotient(constant(1), total(constant(1), power)));
    }
    return equation(left, forms);
  }

  exampleError(example) {
    const { each, total: whole } = this.state;
    if (each && each.length === 1 && !this.penalties().length) return this.symbol(["E", null], [], whole);
    const elements = () => [ml("mi", "E"), ml("mtext", `(${example})`)];
    return { ...atom(elements, each[example], "forward"), key: "E(example)" };
  }

  penalties() {
    return this.network.layers
      .filter((layer) => layer.penalty !== null)
      .map((layer) => this.symbol(["R", layer.depth], [], layer.penalty));
  }

  errorLines() {
    const whole = this.symbol(["E", null], [], this.state.total);
    const { formula, name, mean } = this.network.loss;
    if (!formula) return [equation(whole, [], filled(this.text.ofBatch, { loss: name }))];
    const lines = [equation(this.exampleError(this.example), [this.ofExample()])];
    const errors = this.examples.map((example) => this.exampleError(example));
    const sum = total(...errors);
    const terms = [mean ? divided(sum, errors.length) : sum, ...this.penalties()];
    if (errors.length > 1 || terms.length > 1) {
      lines.push(equation(whole, [total(...terms)], terms.length > 1 ? this.text.penalty : ""));
    }
    return lines;
  }

  /** Return the outputs, or the probabilities that the loss makes of logits. */
  probabilities() {
    const a = this.a(this.last);
    const { formula } = this.network.loss;
    if (!formula || !formula.endsWith("logits")) return a;
    const name = formula === "cross-entropy of logits" ? "softmax" : "sigmoid";
    const scores = a.map((logit) => logit.value);
    const values = name === "softmax" ? softmax(scores) : scores.map(sigmoid);
    const letter = this.network.layers[this.last].symbols.a;
    return values.map((value, unit) => {
      const index = values.length > 1 ? [ml("mtext", `[${unit}]`)] : [];
      const elements = () => [ml("mrow", ml("mi", name), ml("mo", "("), ...symbolElements(letter, []), ml("mo", ")"))];
      return atom(() => [...elements(), ...index.map((one) => one.cloneNode(true))], value, "forward");
    });
  }

  ofExample() {
    const [t, p] = [this.targets(), this.probabilities()];
    const { formula } = this.network.loss;
    if (formula.endsWith("squared_error")) {
      const squares = total(...t.map((target, k) => squared(difference(target, p[k]))));
      if (formula === "mean_squared_error") return divided(squares, t.length);
      return beside(constant(0.5, () => [ml("mfrac", ml("mn", "1"), ml("mn", "2"))]), squares);
    }
    const terms = t.map((target, k) => product(target, logarithm(p[k])));
    if (!formula.startsWith("binary")) return negative(total(...terms));
    const one = constant(1);
    t.forEach((target, k) => terms.push(product(difference(one, target), logarithm(difference(one, p[k])))));
    return divided(negative(total(...terms)), t.length);
  }

  backward() {
    const items = [];
    for (let number = this.last; number >= 0; number--) {
      const trained = this.places(number).filter(([letter]) => this.isTrained(number, letter));
      const signals = [...this.errorSignals(number), ...this.deltaSignals(number)];
      if (trained.length || signals.length) items.push(this.heading(number));
      items.push(...signals);
      if (this.examples.length > 1 && trained.length) items.push({ heading: this.text.summed });
      for (const [letter, place] of trained) items.push(this.gradientLine(number, letter, place));
    }
    return items;
  }

  /** Return the lines of dE/da; an activation layer behind has it already, as its dE/dz. */
  errorSignals(number) {
    if (number < this.last && !this.isDense(number + 1)) return [];
    const { formula, name } = this.network.loss;
    return this.errors(number).map((left, unit) => {
      if (number < this.last) return equation(left, [this.fromNext(number, unit)]);
      if (!formula) return equation(left, [], filled(this.text.automatic, { name }));
      return equation(left, [this.atOutput(unit)]);
    });
  }

  fromNext(number, unit) {
    const deltas = this.deltas(number + 1);
    return total(...deltas.map((delta, target) => product(delta, this.weight(number + 1, "W", [unit, target]))));
  }

  atOutput(unit) {
    const { formula, divisor } = this.network.loss;
    const [t, p] = [this.targets()[unit], this.probabilities()[unit]];
    const over = (bottom) => (divisor === 1 ? bottom : product(constant(divisor), bottom));
    if (formula === "mean_squared_error") return divided(beside(constant(2), difference(p, t)), divisor);
    if (formula === "cross-entropy of softmax") return negative(quotient(t, over(p)));
    if (formula === "binary cross-entropy of sigmoid") {
      return quotient(difference(p, t), over(beside(p, difference(constant(1), p))));
    }
    return divided(difference(p, t), divisor);
  }

  /** Return the lines of dE/dz, none where it is dE/da under the same name. */
  deltaSignals(number) {
    if (this.passes(number)) return [];
    const layer = this.network.layers[number];
    const errors = this.errors(number);
    return this.deltas(number).map((left, unit) => {
      const forms = [];
      if (layer.activation === "softmax") forms.push(this.throughSoftmax(number, unit));
      else if (this.slope(number, unit)) forms.push(product(errors[unit], ...this.slope(number, unit)));
      else return equation(left, [], filled(this.text.automatic, { name: layer.activation }));
      if (this.isFused(number)) forms.push(this.fused(unit));
      return equation(left, forms);
    });
  }

  isFused(number) {
    return number === this.last && this.network.loss.fused;
  }

  fused(unit) {
    return divided(difference(this.a(this.last)[unit], this.targets()[unit]), this.network.loss.divisor);
  }

  throughSoftmax(number, unit) {
    const [errors, a] = [this.errors(number), this.a(number)];
    const own = (j) => difference(constant(j === unit ? 1 : 0), a[unit]);
    return total(...errors.map((error, j) => product(error, beside(a[j], own(j)))));
  }

  /** Return the factors of da/dz of a unit, none where it is 1 everywhere; null where it has no slope of its own. */
  slope(number, unit) {
    const layer = this.network.layers[number];
    const [z, a] = [this.z(number)[unit], this.a(number)[unit]];
    const value = slopeAt(layer, z.value) ?? layer.slope?.[this.example][unit];
    if (layer.activation === "linear") return [];
    if (layer.activation === "sigmoid") return [beside(a, difference(constant(1), a))];
    if (layer.activation === "tanh") return [difference(constant(1), squared(a))];
    const written = () => applied(`${layer.activation}′`, z, value).write(false).flat();
    return value === undefined ? null : [atom(written, value, "forward")];
  }

  gradientLine(number, letter, place) {
    const terms = this.examples.map((example) => this.gradientTerm(number, letter, place, example));
    const form = overExamples(terms, this.text.examples, terms[this.example]);
    const shares = this.network.layers[number].weights[letter].penalty;
    const left = this.gradient(number, letter, place);
    if (!shares) return equation(left, [form]);
    const of = this.weight(number, letter, place);
    const share = derivative(() => [ml("mi", "R")], of.elements, place.reduce((inner, index) => inner[index], shares));
    return equation(left, [total(share, form)]);
  }

  gradientTerm(number, letter, place, example) {
    const delta = this.deltas(number, example)[place[place.length - 1]];
    return letter === "W" ? product(delta, this.x(number, example)[place[0]]) : delta;
  }

  update() {
    const items = [];
    const rate = atom(() => [ml("mi", "η")], this.state.rate, "rate");
    for (let number = 0; number <= this.last; number++) {
      if (!this.isDense(number)) continue;
      items.push(this.heading(number));
      const { name, weights } = this.network.layers[number];
      for (const letter of Object.keys(weights)) {
        if (!this.isTrained(number, letter)) items.push({ sentence: filled(this.text.frozen, { name, letter }) });
      }
      for (const [letter, place] of this.places(number).filter(([one]) => this.isTrained(number, one))) {
        const [old, left] = [this.weight(number, letter, place), this.renewed(number, letter, place)];
        const step = product(rate, this.gradient(number, letter, place));
        const { plain } = weights[letter];
        items.push(plain ? equation(left, [difference(old, step)]) : equation(left, [], this.text.ownRule));
      }
    }
    return items;
  }
}

function equation(left, forms, note = "") {
  return { key: left.key, left, forms, note };
}

function logarithm(of) {
  return applied("ln", of, of.value > 0 ? Math.log(of.value) : -Infinity);
}
