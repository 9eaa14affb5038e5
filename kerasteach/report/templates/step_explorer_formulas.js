"use strict";
/* Formulas, written in symbols or in numbers, as MathML. A formula has `value`, `binds(numbers)`, how tightly its
   outermost operation binds, and `write(numbers)`: a list of parts between which a line may be broken, each a list of
   elements. */

const MATHML = "http://www.w3.org/1998/Math/MathML";
const [SUM, PRODUCT, ATOM] = [0, 1, 2];

function ml(name, ...content) {
  const element = document.createElementNS(MATHML, name);
  element.append(...content);
  return element;
}

function operator(sign, form) {
  const element = ml("mo", sign);
  const space = form === "infix" ? "0.24em" : "0";
  const attributes = { form: form ?? "infix", lspace: space, rspace: space, stretchy: "false" };
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Return a number with four significant digits: "0.15", "-1.021e-5". */
function digits(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞";
  if (value === 0) return "0";
  const power = Number(value.toExponential(3).split("e")[1]);
  if (power >= -4 && power < 4) return String(Number(value.toPrecision(4)));
  const [number, exponent] = value.toExponential(3).split("e");
  return `${Number(number)}e${Number(exponent)}`;
}

/** Return a number as a line of text writes it: "−1.021·10⁻⁵". */
function plainNumber(value) {
  const [number, exponent] = digits(value).split("e");
  const raised = exponent && [...exponent].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(sign)])).join("");
  return (raised ? `${number}·10${raised}` : number).replace("-", "−");
}

function numberElements(value, ink) {
  const [number, exponent] = digits(value).split("e");
  const elements = [ml("mn", number.replace("-", "−"))];
  if (exponent) elements.push(operator("·", "infix"), ml("msup", ml("mn", "10"), ml("mn", exponent.replace("-", "−"))));
  for (const element of elements) if (ink) element.setAttribute("class", ink);
  return elements;
}

/** Return the text of a symbol, as `trace.explain()` writes it: "W1[0,1]", "a'2[0]" is "a2'[0]". */
function symbolText([letter, depth], index) {
  const place = index.length ? `[${index.join(",")}]` : "";
  return `${letter[0]}${depth ?? ""}${letter.slice(1)}${place}`;
}

/** Return a symbol as a line of text draws it: "W₁[0,1]". */
function drawnSymbol([letter, depth], index) {
  const low = [...String(depth ?? "")].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]).join("");
  return symbolText([`${letter[0]}${low}${letter.slice(1).replaceAll("'", "′")}`, null], index);
}

function symbolElements([letter, depth], index) {
  const base = ml("mi", letter[0] + letter.slice(1).replaceAll("'", "′"));
  const elements = [depth === null ? base : ml("msub", base, ml("mn", String(depth)))];
  if (index.length) elements.push(ml("mtext", `[${index.join(",")}]`));
  return elements;
}

/** A formula that is one number with a symbol, in the ink of its direction. */
function atom(elements, value, ink) {
  return {
    value,
    write: (numbers) => [numbers ? numberElements(value, ink) : elements().map((element) => inked(element, ink))],
    binds: (numbers) => (!numbers ? ATOM : value < 0 ? SUM : digits(value).includes("e") ? PRODUCT : ATOM),
  };
}

function inked(element, ink) {
  if (ink) element.setAttribute("class", ink);
  return element;
}

/** A number that is written as such in symbols, too. */
function constant(value, elements) {
  const write = () => [elements ? elements() : numberElements(value)];
  return { value, write, binds: () => (value < 0 ? SUM : ATOM) };
}

/** d(top)/d(bottom), both given as functions that make elements. */
function derivative(top, bottom, value, ink = "backward") {
  const elements = () => [ml("mfrac", ml("mrow", ml("mo", "∂"), ...top()), ml("mrow", ml("mo", "∂"), ...bottom()))];
  return atom(elements, value, ink);
}

function inside(formula, numbers, binds) {
  const parts = formula.write(numbers);
  if (formula.binds(numbers) >= binds) return parts;
  parts[0] = [operator("(", "prefix"), ...parts[0]];
  parts[parts.length - 1].push(operator(")", "postfix"));
  return parts;
}

/** Join operands by a sign; a line may break before each sign. */
function joined(operands, sign) {
  const [first, ...others] = operands;
  return others.reduce((parts, [head, ...tail]) => [...parts, [operator(sign, "infix"), ...head], ...tail], first);
}

function total(...terms) {
  if (terms.length === 1) return terms[0];
  return {
    value: added(terms.map((term) => term.value)),
    binds: () => SUM,
    write: (numbers) =>
      joined(
        terms.map((term, place) => (place ? inside(term, numbers, PRODUCT) : term.write(numbers))),
        "+",
      ),
  };
}

function difference(left, right) {
  return {
    value: left.value - right.value,
    binds: () => SUM,
    write: (numbers) => joined([left.write(numbers), inside(right, numbers, PRODUCT)], "−"),
  };
}

function product(...factors) {
  if (factors.length === 1) return factors[0];
  return {
    value: factors.reduce((whole, factor) => whole * factor.value, 1),
    binds: () => PRODUCT,
    write: (numbers) =>
      joined(
        factors.map((factor) => inside(factor, numbers, PRODUCT)),
        "·",
      ),
  };
}

/** A product whose factors stand beside each other: "a (1 - a)", "1/2 (T - a)²". */
function beside(...factors) {
  return {
    value: factors.reduce((whole, factor) => whole * factor.value, 1),
    binds: () => PRODUCT,
    write: (numbers) => [factors.flatMap((factor) => inside(factor, numbers, ATOM).flat())],
  };
}

function quotient(top, bottom) {
  return {
    value: top.value / bottom.value,
    binds: () => ATOM,
    write: (numbers) => [[ml("mfrac", row(top, numbers), row(bottom, numbers))]],
  };
}

function row(formula, numbers) {
  return ml("mrow", ...formula.write(numbers).flat());
}

/** Divide by a whole number, which is left out where it is 1. */
function divided(top, by) {
  return by === 1 ? top : quotient(top, constant(by));
}

function squared(base) {
  return {
    value: base.value ** 2,
    binds: () => ATOM,
    write: (numbers) => [[ml("msup", ml("mrow", ...inside(base, numbers, ATOM).flat()), ml("mn", "2"))]],
  };
}

function negative(term) {
  return {
    value: -term.value,
    binds: () => SUM,
    write: (numbers) => {
      const parts = inside(term, numbers, PRODUCT);
      return [[operator("−", "prefix"), ...parts[0]], ...parts.slice(1)];
    },
  };
}

/** name(argument), and after the name a prime for a derivative. */
function applied(name, argument, value) {
  const elements = (numbers) => [
    ml("mi", name.replaceAll("_", " ")),
    operator("(", "prefix"),
    ...argument.write(numbers).flat(),
    operator(")", "postfix"),
  ];
  return { value, binds: () => ATOM, write: (numbers) => [elements(numbers)] };
}

/** A sum over an index, written with its sign in symbols: "Σ_k term". */
function summedOver(index, term) {
  return {
    value: term.value,
    binds: () => SUM,
    write: (numbers) => {
      const [first, ...others] = inside(term, numbers, PRODUCT);
      return [[ml("munder", operator("∑", "prefix"), ml(index.length > 1 ? "mtext" : "mi", index)), ...first], ...others];
    },
  };
}

/** A sum over the examples: one term in symbols; in numbers all of them, or the first and the last of many. */
function overExamples(terms, word, term = terms[0]) {
  if (terms.length === 1) return term;
  const many = terms.length > 4;
  const shown = many ? [...terms.slice(0, 2), terms[terms.length - 1]] : terms;
  const symbols = summedOver(word, term);
  return {
    value: added(terms.map((one) => one.value)),
    binds: () => SUM,
    write: (numbers) => {
      if (!numbers) return symbols.write(false);
      const parts = shown.map((one, place) => (place ? inside(one, true, PRODUCT) : one.write(true)));
      return joined(many ? [...parts.slice(0, 2), [[ml("mo", "…")]], parts[2]] : parts, "+");
    },
  };
}

/** Return the parts of a formula, each in a `math` element of its own, so that a line may break between them. */
function mathOf(formula, numbers, before = "") {
  const parts = formula.write(numbers);
  if (before) parts[0] = [operator(before, "infix"), ...parts[0]];
  return parts.map((elements) => ml("math", ml("mrow", ...elements)));
}
