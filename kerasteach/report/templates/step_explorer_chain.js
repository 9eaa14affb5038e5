"use strict";
/* The whole chain rule of one weight: in symbols, from the error to the weight, and then in numbers. */

class ChainRule {
  constructor(lines) {
    this.lines = lines;
    this.letters = [..."jkmnpq"];
  }

  /** Return the items for one weight: an equation in symbols, and the numbers of all that it is made of. */
  of(number, letter, place) {
    const { lines } = this;
    if (!lines.isTrained(number, letter)) {
      return [{ sentence: filled(lines.text.frozen, { name: lines.network.layers[number].name, letter }) }];
    }
    const left = lines.gradient(number, letter, place);
    const unit = place[place.length - 1];
    const of = this.partial(this.z(number, unit), lines.weight(number, letter, place).elements);
    const parts = [...this.toSum(number, unit), of];
    const symbols = lines.examples.length > 1 ? summedOver(lines.text.examples, product(...parts)) : product(...parts);
    const rule = { key: `chain ${left.key}`, left, forms: [symbols], symbolsOnly: true };
    if (this.isSinglePath(number)) return [rule, this.oneProduct(number, letter, place, left)];
    return [rule, ...this.signals(number, unit), lines.gradientLine(number, letter, place)];
  }

  /** Return whether there is one example, and one path from the weight to the error. */
  isSinglePath(number) {
    const { lines } = this;
    const later = lines.state.layers.slice(number);
    const known = later.every((_, place) => lines.slope(number + place, 0) !== null);
    return (
      known &&
      lines.network.loss.formula !== null &&
      lines.examples.length === 1 &&
      later.every((layer) => layer.z[0].length === 1) &&
      !lines.network.layers[number].weights.W.penalty
    );
  }

  /** Return the gradient as one product, with each derivative as its formula. */
  oneProduct(number, letter, place, left) {
    const factors = this.factors(number);
    if (letter === "W") factors.push(this.lines.x(number)[place[0]]);
    return equation(left, [product(...factors)]);
  }

  factors(number) {
    const { lines } = this;
    if (lines.isFused(number)) return [lines.fused(0)];
    if (number === lines.last) return [lines.atOutput(0), ...lines.slope(number, 0)];
    const factors = this.factors(number + 1);
    if (lines.isDense(number + 1)) factors.push(lines.weight(number + 1, "W", [0, 0]));
    return [...factors, ...lines.slope(number, 0)];
  }

  /** Return the lines of the error signals between the error and a unit. */
  signals(number, unit) {
    const { lines } = this;
    const found = [];
    const next = lines.network.layers.findIndex((_, later) => later > number && lines.isDense(later));
    for (let later = lines.last; later >= number; later--) {
      const alone = next < 0 || later < next; // no unit but this one lies between the weight and the next layer
      const own = (signals) => (alone ? signals.slice(unit, unit + 1) : signals);
      const mixed = lines.network.layers[later].activation === "softmax"; // each dE/dz is made of all dE/da
      found.push(...(mixed ? lines.errorSignals(later) : own(lines.errorSignals(later))));
      found.push(...own(lines.deltaSignals(later)));
    }
    return found;
  }

  /* The symbols: elements of a unit's z and a, by its index or the letter of a sum. */

  z(number, index) {
    return this.named(this.lines.network.layers[number].symbols.z, this.lines.state.layers[number].z[0].length, index);
  }

  a(number, index) {
    return this.named(this.lines.network.layers[number].symbols.a, this.lines.state.layers[number].a[0].length, index);
  }

  named(name, units, index) {
    return () => symbolElements(name, units > 1 ? [index] : []);
  }

  partial(top, bottom) {
    return derivative(top, bottom, NaN);
  }

  /** Return the factors of dE/dz of a unit. */
  toSum(number, index) {
    const { lines } = this;
    if (lines.passes(number)) return this.toOutput(number, index);
    if (lines.isFused(number)) return [this.partial(theError, this.z(number, index))];
    if (lines.network.layers[number].activation !== "softmax") {
      return [...this.toOutput(number, index), this.partial(this.a(number, index), this.z(number, index))];
    }
    return this.sum(number, (letter) => [
      ...this.toOutput(number, letter),
      this.partial(this.a(number, letter), this.z(number, index)),
    ]);
  }

  /** Return the factors of dE/da of a unit. */
  toOutput(number, index) {
    const { lines } = this;
    if (number === lines.last) return [this.partial(theError, this.a(number, index))];
    if (!lines.isDense(number + 1)) return this.toSum(number + 1, index);
    return this.sum(number + 1, (letter) => [
      ...this.toSum(number + 1, letter),
      this.partial(this.z(number + 1, letter), this.a(number, index)),
    ]);
  }

  /** Return a sum over a layer's units, which a single unit does not need. */
  sum(number, factors) {
    if (this.lines.state.layers[number].z[0].length === 1) return factors(0);
    const letter = this.letters.shift() ?? "j";
    return [summedOver(letter, product(...factors(letter)))];
  }
}

function theError() {
  return [ml("mi", "E")];
}
